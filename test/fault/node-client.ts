import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { eventType } from '../../src/contracts/index.js';
import * as parties from '../conformance/parties.js';
import { digestOf } from '../conformance/signing.js';
import type { NodeName, Releases } from './releases.js';

/** Makes a client of the service as there are many: what one node does not answer it asks the other one. */
export function createClient(releases: Releases) {
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
  async function send(
    path: string,
    bearer: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<Record<string, unknown>> {
    const answer = await ask(path, {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }
  const emit = (uri: string, name: 'id-jag.issued' | 'token.issued', data: object) =>
    send(
      '/events',
      secrets.get('producer')!,
      {
        specversion: '1.0',
        type: eventType(name),
        source: uri,
        id: randomUUID(),
        time: new Date().toISOString(),
        data,
      },
      { 'content-type': 'application/cloudevents+json' },
    );

  const orderOf = (token: string): object => ({ selector: { token: { sha256: digestOf(token) } }, reason: 'spec' });
  /** Asks one node; undefined where it does not answer. */
  function introspectAt(node: NodeName, token: string): Promise<Response | undefined> {
    const headers = { authorization: parties.basic('chat-api', secrets.get('chat-api')!) };
    return fetch(`${releases.url(node)}/introspect`, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ token }),
    }).catch(() => undefined);
  }

  return {
    retried: () => retried,
    async register(admin: string) {
      for (const { name, uri, types, issuers, resources } of [parties.IDP_SOURCE, parties.RAS_SOURCE])
        await send('/v1/sources', admin, { name, uri, types, issuers, resources });
      const callers = {
        producer: { emit: { sources: ['idp', 'chat'] } },
        'chat-api': { introspect: { resources: [parties.API], issuers: [parties.RAS] } },
        security: { revoke: { tenant: true } },
      };
      for (const [id, roles] of Object.entries(callers))
        secrets.set(
          id,
          /"(rsk_[A-Za-z0-9_-]+)"/.exec(JSON.stringify(await send('/v1/callers', admin, { id, roles })))![1]!,
        );
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
      const [order, headers] = [orderOf(token), { 'idempotency-key': randomUUID() }];
      const isInUse = (error: unknown): boolean => String(error).includes('idempotency-key-in-use');
      for (;;) {
        const refusal = await send('/v1/revocations', secrets.get('security')!, order, headers).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (refusal === undefined) return;
        if (!isInUse(refusal)) throw refusal;
      }
    },
    /** Orders once, of one node; its answer, or undefined where it gave none. */
    orderAt: (node: NodeName, token: string, key: string): Promise<Response | undefined> =>
      fetch(`${releases.url(node)}/v1/revocations`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${secrets.get('security')!}`,
          'content-type': 'application/json',
          'idempotency-key': key,
        },
        body: JSON.stringify(orderOf(token)),
      }).catch(() => undefined),
    /** Asks as a resource server does. If one node refuses, the other is asked. */
    async isActive(token: string): Promise<boolean> {
      const headers = { authorization: parties.basic('chat-api', secrets.get('chat-api')!) };
      const answer = await ask('/introspect', { method: 'POST', headers, body: new URLSearchParams({ token }) });
      expect(answer.status).toBe(200);
      return ((await answer.json()) as { active: boolean }).active;
    },
    introspectAt,
    /** The answer of one node, if there is one: a node that starts or stops may refuse, and never says active of what was revoked. */
    async isActiveAt(node: NodeName, token: string): Promise<boolean> {
      const answer = await introspectAt(node, token);
      return answer?.status === 200 && ((await answer.json()) as { active: boolean }).active;
    },
  };
}
