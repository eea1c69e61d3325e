import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Caller } from '../../../src/control/index.js';
import { createIntrospection } from '../../../src/introspection/index.js';
import { createLineageReader } from '../../../src/projections/index.js';
import { createQuestions, type IncidentReport, type Questions } from '../../../src/query/index.js';
import { createAuthenticator, createKeySets, type KeySets } from '../../../src/registry/index.js';
import { createRevocations, type Revocations } from '../../../src/revocation/index.js';
import { ruleKey, ruleKeyToBytes } from '../../../src/rules/index.js';
import { testLog } from '../../support/services.js';
import { until } from '../control/control-fixture.js';
import {
  access,
  API,
  createStage,
  fromChat,
  fromIdp,
  IDP,
  idJag,
  RAS,
  token,
  type Stage,
} from '../../support/stage.js';

const FILES = 'https://files.chat.example';
const seconds = (): number => Math.floor(Date.now() / 1000);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Orders each proposed rule on a real node, and introspects every token of the fixture before and after. */
describe('the rule that stops exactly what is reached', () => {
  let stage: Stage;
  let revocations: Revocations;
  let questions: Questions;
  let keySets: KeySets;
  let server: Server;
  let url: string;
  let secret: string;
  const callers: Record<string, Caller> = {};

  beforeEach(async () => {
    stage = await createStage();
    const { registry, follower, controlLog, database, tenant, metrics } = stage;
    const actor = { id: 'admin', tenant };
    await registry.updateSource(actor, stage.chat.id, {
      types: stage.chat.types,
      issuers: [RAS],
      resources: [API, FILES],
      profile: { ...stage.chat.profile, lineage: 'none' },
    });
    await registry.createCaller(actor, { id: 'analyst', roles: { revoke: { tenant: true } } });
    await registry.createCaller(actor, { id: 'auditor', roles: { audit: {} } });
    secret = (
      await registry.createCaller(actor, {
        id: 'api',
        roles: { introspect: { resources: [API, FILES, RAS], issuers: [RAS] } },
      })
    ).secret;
    for (const id of ['analyst', 'auditor']) callers[id] = follower.state.caller(id)!;
    revocations = createRevocations({ controlLog, follower, pool: database.pool });
    questions = createQuestions({
      pool: database.pool,
      control: () => follower.state,
      previewOrder: (caller, order) => revocations.preview(caller as Caller, order),
    });
    keySets = createKeySets({ state: follower.state, log: testLog(), allowedHosts: [] });
    const lineage = createLineageReader({ pool: database.pool });
    const { handle } = createIntrospection({
      follower,
      authenticate: createAuthenticator({ state: () => follower.state }),
      keySets,
      lineage,
      metrics,
      log: testLog(),
    });
    server = createServer(handle);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect`;
    await tell();
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    keySets.stop();
    await stage.stop();
  });

  /** Opaque tokens, each named by its text. */
  const ALL = ['a1', 'a2', 'b1', 'c1', 'r1', 'd1', 'l1', 'expired'] as const;
  const opaque = (name: string, over: Parameters<typeof token>[0]) =>
    fromChat('token.issued', token({ jti: undefined, sha256: sha256(name), ...over }));

  async function tell(): Promise<void> {
    const now = seconds();
    const bot = { client_id: 'bot-at-chat', idp_client_id: 'bot-at-idp', agent: { id: 'agent-8', type: 'coder' } };
    const mailer = { client_id: 'mailer-at-chat', idp_client_id: 'mailer-at-idp', agent: undefined };
    const results = await stage.emit(
      fromIdp('id-jag.issued', idJag({ aud_sub: 'chat-alice' })),
      fromIdp('id-jag.issued', idJag({ jti: 'gr-2', sid: 's-2', resource: [FILES], ...bot })),
      fromIdp('id-jag.issued', idJag({ jti: 'gr-3', sub: 'bob', sid: 's-3' })),
      fromIdp('id-jag.issued', idJag({ jti: 'gr-4', sub: 'carol', sid: 's-4', ...mailer })),
      opaque('a1', {}),
      opaque('a2', { sub: undefined, client_id: 'bot-at-chat', aud: [FILES], id_jag: { iss: IDP, jti: 'gr-2' } }),
      opaque('b1', { sub: 'chat-bob', id_jag: { iss: IDP, jti: 'gr-3', sub: 'bob' } }),
      // This token belongs to a session of the RAS itself.
      opaque('c1', { sub: undefined, sid: 'own', client_id: 'mailer-at-chat', id_jag: { iss: IDP, jti: 'gr-4' } }),
      opaque('r1', { kind: 'refresh', exp: undefined, aud: [RAS], id_jag: { iss: IDP, jti: 'gr-1' } }),
      // Exchanged by another client, which says nothing of the user.
      opaque('d1', {
        sub: undefined,
        client_id: 'mailer-at-chat',
        id_jag: undefined,
        parent: { sha256: sha256('r1') },
      }),
      // The IdP has not reported this token's ID-JAG: only the RAS's own name says whose it is.
      opaque('l1', { id_jag: { iss: IDP, jti: 'gr-unseen', sid: 's-unseen' } }),
      opaque('expired', { iat: now - 400, exp: now - 1 }),
      fromChat('access.allowed', access({ token: { sha256: sha256('a1') }, bytes: 100 })),
      fromChat(
        'access.allowed',
        access({ token: { sha256: sha256('expired') }, operation: 'export', records: 50, bytes: 9_000 }),
      ),
      fromChat('access.denied', access({ token: { sha256: sha256('a2') }, operation: 'write', records: undefined })),
    );
    expect(results.filter((result) => 'error' in (result as object))).toEqual([]);
  }

  async function isActive(text: string): Promise<boolean> {
    const authorization = `Basic ${Buffer.from(`api:${secret}`).toString('base64')}`;
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token: text }).toString(),
    });
    expect(response.status).toBe(200);
    return ((await response.json()) as { active: boolean }).active;
  }
  const active = async (): Promise<string[]> => {
    const names: string[] = [];
    for (const name of ALL) if (await isActive(name)) names.push(name);
    return names;
  };
  const idOf = (name: string): string =>
    ruleKeyToBytes(ruleKey(stage.follower.state.tenant(stage.tenant)!.key, 'token', [sha256(name)])).toString(
      'base64url',
    );

  const idpUser = { user: { iss: IDP, sub: 'alice' } };
  const rasUser = { user: { iss: RAS, sub: 'chat-alice' } };
  const idpClient = { client: { iss: IDP, client_id: 'wiki-at-idp' } };
  const rasClient = { client: { iss: RAS, client_id: 'wiki-at-chat' } };
  it.each<[string, Record<string, string>, string[], object[]]>([
    ['a user of the IdP', { user_iss: IDP, user_sub: 'alice' }, ['a1', 'a2', 'r1', 'd1', 'l1'], [idpUser, rasUser]],
    ['a user of the RAS', { user_iss: RAS, user_sub: 'chat-alice' }, ['a1', 'r1', 'd1', 'l1'], [rasUser]],
    [
      'a client of the IdP',
      { client_iss: IDP, client_id: 'wiki-at-idp' },
      ['a1', 'b1', 'r1', 'd1', 'l1'],
      [idpClient, rasClient],
    ],
    [
      'a client of the RAS',
      { client_iss: RAS, client_id: 'wiki-at-chat' },
      ['a1', 'b1', 'r1', 'd1', 'l1'],
      [rasClient],
    ],
    [
      'a client that exchanged a token',
      { client_iss: RAS, client_id: 'mailer-at-chat' },
      ['c1', 'd1'],
      [{ client: { iss: RAS, client_id: 'mailer-at-chat' } }],
    ],
    [
      'an agent',
      { agent_iss: IDP, agent_id: 'agent-7' },
      ['a1', 'b1', 'r1', 'd1'],
      [{ agent: { iss: IDP, id: 'agent-7' } }],
    ],
    [
      'a session',
      { session_iss: IDP, session_sid: 's-1' },
      ['a1', 'r1', 'd1'],
      [{ session: { iss: IDP, sid: 's-1' } }],
    ],
    [
      'a session that only a token states',
      { session_iss: IDP, session_sid: 's-unseen' },
      ['l1'],
      [{ session: { iss: IDP, sid: 's-unseen' } }],
    ],
    [
      'a session of the RAS itself',
      { session_iss: RAS, session_sid: 'own' },
      ['c1'],
      [{ session: { iss: RAS, sid: 'own' } }],
    ],
    ['an ID-JAG', { id_jag_iss: IDP, id_jag_jti: 'gr-1' }, ['a1', 'r1', 'd1'], [{ id_jag: { iss: IDP, jti: 'gr-1' } }]],
    [
      'an ID-JAG that only a token names',
      { id_jag_iss: IDP, id_jag_jti: 'gr-unseen' },
      ['l1'],
      [{ id_jag: { iss: IDP, jti: 'gr-unseen' } }],
    ],
    ['a refresh token and what came of it', { token: 'r1' }, ['r1', 'd1'], [{ token: { sha256: sha256('r1') } }]],
    ['a resource', { resource: API }, ['a1', 'b1', 'c1', 'r1', 'd1', 'l1'], [{ resource: API }]],
    ['another resource', { resource: FILES }, ['a2'], [{ resource: FILES }]],
  ])('%s', async (_name, { token: named, ...query }, reached, selectors) => {
    const sut = await questions.reach.blast(callers['auditor']!, {
      ...query,
      ...(named === undefined ? {} : { token: idOf(named) }),
    });
    expect(sut.tokens.newest.map(({ id }) => ALL.find((name) => idOf(name) === id)).toSorted()).toEqual(
      reached.toSorted(),
    );
    expect(sut.tokens).toMatchObject({ live: reached.length, stopped: 0, left_out: 0 });
    expect(sut.rules.map(({ order }) => order.selector)).toEqual(selectors);
    if (selectors.length === 1) expect(sut.rules[0]!.preview).toMatchObject({ tokens: reached.length });

    const before = await active();
    expect(before).toEqual(ALL.filter((name) => name !== 'expired'));
    for (const { order } of sut.rules) {
      await expect(revocations.order(callers['analyst']!, order)).rejects.toMatchObject({ code: 'reason-required' });
      await revocations.order(callers['analyst']!, { ...order, reason: 'compromised' });
    }
    expect(await active()).toEqual(before.filter((name) => !reached.includes(name)));
  });

  it.each([
    ['before a token stated it', { session_sid: 's-unseen' }, true],
    ['of another issuer', { session_sid: 's-unseen', session_iss: RAS }, false],
    ['of the RAS, at the IdP', { session_sid: 'own' }, false],
  ])('knows no session %s', async (_name, query, past) => {
    const asked = { session_iss: IDP, preview: 'false', ...query };
    const l1 = past ? (await questions.reach.blast(callers['auditor']!, asked)).tokens.newest[0]!.index : undefined;
    await expect(
      questions.reach.blast(callers['auditor']!, { ...asked, ...(l1 === undefined ? {} : { as_of: l1 }) }),
    ).rejects.toMatchObject({ code: 'not-found' });
    if (l1 !== undefined)
      expect(
        await questions.reach.blast(callers['auditor']!, { ...asked, as_of: String(BigInt(l1) + 1n) }),
      ).toMatchObject({ tokens: { live: 1 } });
  });

  it('names the user as the RAS does, as of a moment before the IdP’s user was known', async () => {
    const asked = { user_iss: RAS, user_sub: 'chat-alice', preview: 'false' };
    const { as_of: then, tokens: known } = await questions.reach.blast(callers['auditor']!, asked);
    expect(known.newest.map(({ id }) => id)).toContain(idOf('l1'));
    await stage.emit(
      fromIdp('id-jag.issued', idJag({ jti: 'gr-unseen', sub: 'dora', sid: 's-5', aud_sub: 'chat-alice' })),
    );
    const sut = await questions.reach.blast(callers['auditor']!, { ...asked, as_of: then.index });
    expect(sut.tokens.newest.map(({ id }) => id)).toEqual(known.newest.map(({ id }) => id));
  });

  it('reports afterwards what it hit, what was tried, and which node confirmed it when', async () => {
    const ordered = await revocations.order(callers['analyst']!, {
      selector: { user: { iss: IDP, sub: 'bob' } },
      reason: 'compromised',
    });
    expect(await isActive('b1')).toBe(false);
    const { rule } = await untilKnown(ordered.id);
    await stage.emit(
      fromChat('access.denied', access({ token: { sha256: sha256('b1') }, operation: 'export', status: 401 })),
    );
    const { report } = await questions.reports.incident(stage.tenant, { rule: ordered.id });
    expect(report).toMatchObject({
      rule: { id: ordered.id, entry: rule.entry, seq: ordered.seq, author: { caller: 'analyst' } },
      hit: { live_tokens: 1, newest: [{ id: idOf('b1') }] },
      confirmations: {
        known: true,
        nodes: [{ node: expect.stringMatching(/^[0-9a-f-]{36}$/), outcome: 'confirmed', guards: 0 }],
      },
    });
    expect(report.confirmations.nodes).toHaveLength(ordered.confirmed.nodes);
    expect(Math.abs(Date.parse(report.confirmations.nodes[0]!.at) - Date.parse(report.rule.ordered_at))).toBeLessThan(
      20_000,
    );
    const entry = await questions.entry(stage.tenant, rule.entry, {});
    expect(JSON.parse(Buffer.from(entry.payload!.bytes, 'base64').toString())).toMatchObject({
      type: 'dev.rescind.revocation.ordered.v1',
      data: { rule: ordered.id },
    });
  });

  /** The rule's entry and its confirmations are written after the order has been answered. */
  async function untilKnown(id: string): Promise<IncidentReport> {
    let known: IncidentReport | undefined;
    await until('the rule to be told', async () => {
      known = await questions.reports.incident(stage.tenant, { rule: id }).then(
        ({ report }) => report,
        () => undefined,
      );
      return known?.confirmations.known === true;
    });
    return known!;
  }
});
