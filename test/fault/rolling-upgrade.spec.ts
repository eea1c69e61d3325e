import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventType } from '../../src/contracts/index.js';
import * as parties from '../conformance/parties.js';
import { digestOf } from '../conformance/signing.js';
import { createTestDatabase } from '../support/services.js';
import { until } from './deployment.js';
import { createReleases, type NodeName, type Releases } from './releases.js';

const TEST_TIMEOUT_MS = 240_000;
const NEXT_MIGRATION = 'NextRelease1900000000000';
/** Rounds of traffic between two steps of the upgrade, and after the last. */
const ROUNDS = 3;

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A client of the service as there are many: what one node does not answer it asks the other one. */
function createClient(releases: Releases) {
  const secrets = new Map<string, string>();
  const nodes: NodeName[] = ['a', 'b'];
  let retried = 0;

  async function ask(path: string, init: RequestInit): Promise<Response> {
    for (const [nth, node] of nodes.entries()) {
      const answer = await fetch(releases.url(node) + path, init).catch(() => undefined);
      if (answer !== undefined && answer.status < 500) {
        if (nth > 0) nodes.reverse();
        return answer;
      }
      retried += 1;
      await answer?.body?.cancel();
    }
    throw new Error(`no node answered ${path}`);
  }
  async function send(path: string, bearer: string, body: unknown, headers: Record<string, string> = {}): Promise<Record<string, unknown>> {
    const answer = await ask(path, { method: 'POST', headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }
  const emit = (uri: string, name: 'id-jag.issued' | 'token.issued', data: object) =>
    send('/events', secrets.get('producer')!, { specversion: '1.0', type: eventType(name), source: uri, id: randomUUID(), time: new Date().toISOString(), data }, { 'content-type': 'application/cloudevents+json' });

  return {
    retried: () => retried,
    async register(admin: string) {
      for (const { name, uri, types, issuers, resources } of [parties.IDP_SOURCE, parties.RAS_SOURCE]) await send('/v1/sources', admin, { name, uri, types, issuers, resources });
      const callers = { producer: { emit: { sources: ['idp', 'chat'] } }, 'chat-api': { introspect: { resources: [parties.API], issuers: [parties.RAS] } }, security: { revoke: { tenant: true } } };
      for (const [id, roles] of Object.entries(callers)) secrets.set(id, /"(rsk_[A-Za-z0-9_-]+)"/.exec(JSON.stringify(await send('/v1/callers', admin, { id, roles })))![1]!);
    },
    /** An access token that both its parties have told of; its text. */
    async issue(): Promise<string> {
      const [text, now, jti] = [`opaque-${randomUUID()}`, Math.floor(Date.now() / 1000), randomUUID()];
      await emit(parties.IDP, 'id-jag.issued', parties.idJagFacts(now, { jti, sub: 'idp-alice' }));
      const idJag = { iss: parties.IDP, jti, sub: 'idp-alice', client_id: 'wiki-at-chat', iat: now - 40 };
      await emit(parties.RAS, 'token.issued', parties.tokenFacts(now, { sha256: digestOf(text), id_jag: idJag }));
      return text;
    },
    /** Resolves when the order is in force; asked again under the same key until it is. */
    async revoke(token: string): Promise<void> {
      const [order, headers] = [{ selector: { token: { sha256: digestOf(token) } }, reason: 'spec' }, { 'idempotency-key': randomUUID() }];
      const isInUse = (error: unknown): boolean => String(error).includes('idempotency-key-in-use');
      for (;;) {
        const refusal = await send('/v1/revocations', secrets.get('security')!, order, headers).then(() => undefined, (error: unknown) => error);
        if (refusal === undefined) return;
        if (!isInUse(refusal)) throw refusal;
      }
    },
    /** As a resource server asks; a refusal of one node is asked of the other. */
    async isActive(token: string): Promise<boolean> {
      const headers = { authorization: parties.basic('chat-api', secrets.get('chat-api')!) };
      const answer = await ask('/introspect', { method: 'POST', headers, body: new URLSearchParams({ token }) });
      expect(answer.status).toBe(200);
      return ((await answer.json()) as { active: boolean }).active;
    },
    /** The answer of one node, if there is one: a node that starts or stops may refuse, and never says active of what was revoked. */
    async isActiveAt(node: NodeName, token: string): Promise<boolean> {
      const headers = { authorization: parties.basic('chat-api', secrets.get('chat-api')!) };
      const answer = await fetch(`${releases.url(node)}/introspect`, { method: 'POST', headers, body: new URLSearchParams({ token }) }).catch(() => undefined);
      return answer?.status === 200 && ((await answer.json()) as { active: boolean }).active;
    },
  };
}

describe('an upgrade by restarting one node after the other', () => {
  it(
    'loses no event, refuses no introspection, and leaves nothing active that was revoked, while nodes of two releases work on one database',
    async () => {
      const database = await createTestDatabase();
      cleanups.push(() => database.drop());
      const releases = await createReleases(database.url);
      cleanups.push(() => releases.end());
      const client = createClient(releases);
      expect((await releases.command('this', 'migrate')).code).toBe(0);
      await releases.start('a', 'this');
      await client.register(await releases.adminKey('a'));
      await releases.start('b', 'this');

      const live: string[] = [];
      const revoked: string[] = [];
      const failures: unknown[] = [];
      const upgraded = new AbortController();
      let rounds = 0;
      async function round(): Promise<void> {
        const [keeps, loses] = [await client.issue(), await client.issue()];
        expect([await client.isActive(keeps), await client.isActive(loses)]).toEqual([true, true]);
        await client.revoke(loses);
        revoked.push(loses);
        live.push(keeps);
        for (const token of revoked.slice(-10)) expect([await client.isActive(token), await client.isActiveAt('a', token), await client.isActiveAt('b', token)]).toEqual([false, false, false]);
        rounds += 1;
      }
      const traffic = (async () => {
        while (!upgraded.signal.aborted) await round().catch((error: unknown) => failures.push(error));
      })();
      const someRounds = async (): Promise<void> => {
        const enough = rounds + ROUNDS;
        await until(async () => rounds >= enough || failures.length > 0);
      };

      await someRounds();
      expect(await releases.command('next', 'migrate', '--check')).toEqual({ code: 1, text: expect.stringContaining(NEXT_MIGRATION) });
      expect(await releases.command('next', 'migrate')).toEqual({ code: 0, text: expect.stringContaining(NEXT_MIGRATION) });
      await someRounds();
      for (const node of ['a', 'b'] as const) {
        expect(await releases.stop(node)).toBe(0);
        await someRounds();
        await releases.start(node, 'next');
        await someRounds();
      }
      upgraded.abort();
      await traffic;
      expect(failures).toEqual([]);
      expect(client.retried()).toBeGreaterThan(0);

      // Every event that was answered is in the ledger, and both nodes of the next release agree about every token.
      const { rows } = await database.pool.query<{ tokens: string }>('SELECT count(*) AS tokens FROM token');
      expect(Number(rows[0]!.tokens)).toBe(live.length + revoked.length);
      for (const node of ['a', 'b'] as const) {
        for (const token of live) expect(await client.isActiveAt(node, token)).toBe(true);
        for (const token of revoked) expect(await client.isActiveAt(node, token)).toBe(false);
      }
      // A node of the release before does not come back.
      expect(await releases.command('this', 'serve')).toEqual({ code: 1, text: expect.stringContaining('schema-newer') });
    },
    TEST_TIMEOUT_MS,
  );
});
