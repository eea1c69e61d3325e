import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RescindError } from '../../../src/contracts/index.js';
import type { Caller } from '../../../src/control/index.js';
import { createLineageReader, type LineageReader, type StoredLineage } from '../../../src/projections/index.js';
import { createRevocations, type Preview, type Revocations } from '../../../src/revocation/index.js';
import { createRuleIndex, ruleKeyFromBytes, selectorKey, tokenKeys, type Selector } from '../../../src/rules/index.js';
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

const SKEW = 5;
const seconds = (): number => Math.floor(Date.now() / 1000);

describe('previewing a rule', () => {
  let stage: Stage;
  let revocations: Revocations;
  let lineage: LineageReader;
  const callers: Record<string, Caller> = {};

  beforeAll(async () => {
    stage = await createStage();
    const { registry, follower, controlLog, database, tenant } = stage;
    const actor = { id: 'admin', tenant };
    await registry.createCaller(actor, { id: 'analyst', roles: { revoke: { tenant: true } } });
    await registry.createCaller(actor, { id: 'narrow', roles: { revoke: { issuers: [RAS], resources: [] } } });
    await registry.createCaller(actor, { id: 'auditor', roles: { audit: {} } });
    for (const id of ['analyst', 'narrow', 'auditor', 'emitter']) callers[id] = follower.state.caller(id)!;
    revocations = createRevocations({ controlLog, follower, pool: database.pool });
    lineage = createLineageReader({ pool: database.pool });
    await tell();
  });
  afterAll(() => stage.stop());

  /** Two users, two clients, two resources, sessions, agents, an expired token, a refresh token and what came of it. */
  async function tell(): Promise<void> {
    const now = seconds();
    const bob = { sub: 'bob', sid: 's-2', agent: { id: 'agent-8', type: 'coder' } };
    const batches = [
      fromIdp('id-jag.issued', idJag()),
      fromIdp('id-jag.issued', idJag({ jti: 'gr-2', ...bob, aud_sub: 'chat-bob' })),
      fromIdp(
        'id-jag.issued',
        idJag({
          jti: 'gr-3',
          ...bob,
          client_id: 'bot-at-chat',
          idp_client_id: 'bot-at-idp',
          resource: ['https://files.chat.example'],
        }),
      ),
      fromChat('token.issued', token()),
      fromChat('token.issued', token({ jti: 'at-2', iat: now - 400, exp: now - 1 })),
      fromChat('token.issued', token({ jti: 'at-3', sub: 'chat-bob', id_jag: { iss: IDP, jti: 'gr-2' } })),
      fromChat(
        'token.issued',
        token({
          jti: 'at-4',
          sub: undefined,
          client_id: 'bot-at-chat',
          aud: [API],
          id_jag: { iss: IDP, jti: 'gr-3', sub: 'bob', sid: 's-2' },
        }),
      ),
      fromChat('token.issued', token({ jti: 'rt-1', kind: 'refresh', exp: undefined, aud: [RAS] })),
      fromChat('token.issued', token({ jti: 'at-5', id_jag: undefined, parent: { iss: RAS, jti: 'rt-1' } })),
      fromChat(
        'token.issued',
        token({
          jti: 'at-6',
          id_jag: undefined,
          sub: 'local-only',
          tenant: 'acme',
          iat: now - 100,
          auth_time: now - 5_000,
        }),
      ),
      fromChat(
        'token.issued',
        token({ jti: 'at-7', id_jag: undefined, sub: 'local-only', parent: { iss: RAS, jti: 'at-2' } }),
      ),
      fromChat('token.issued', token({ jti: 'rt-old', kind: 'refresh', exp: undefined, iat: now - 31 * 86_400 })),
      fromChat('access.allowed', access()),
      fromChat('access.allowed', access({ token: { iss: RAS, jti: 'at-2' } })),
    ];
    const results = await stage.emit(...batches);
    expect(results.filter((result) => 'error' in (result as object))).toEqual([]);
  }

  const ask = (selector: Selector, more: object = {}, as = 'analyst'): Promise<Preview> =>
    revocations.preview(callers[as]!, { selector, ...more });

  /** Counts the tokens that the rule would stop, by the code that decides. */
  async function stoppedBy(selector: Selector, before?: number): Promise<number> {
    const tenant = stage.follower.state.tenant(stage.tenant)!;
    const { rows } = await stage.database.pool.query<{ key: Buffer }>('SELECT key FROM token WHERE tenant = $1', [
      stage.tenant,
    ]);
    const stored = await lineage.tokens(
      stage.tenant,
      rows.map(({ key }) => ruleKeyFromBytes(key)),
    );
    const index = createRuleIndex();
    const terms = {
      effect: before === undefined ? 'block' : 'revoke',
      before: before ?? 0,
      asOfOrder: false,
      reauthenticate: false,
    } as const;
    index.put({ id: 'previewed', seq: 1n, selector: selectorKey(tenant.key, selector), ...terms });
    return stored.filter((one) => isLive(one!) && index.isStopped(keysOf(tenant.key, one!), seconds())).length;
  }
  const isLive = ({ tokens }: StoredLineage): boolean => {
    const { iat, exp, kind } = tokens[0]!.facts;
    return iat > seconds() - 30 * 86_400 && (exp === undefined ? kind === 'refresh' : exp > seconds());
  };
  const keysOf = (key: Buffer, { tokens, idJags }: StoredLineage) =>
    tokenKeys(key, {
      tokens: tokens.map(({ facts }) => facts),
      idJags: idJags.map(({ facts }) => facts),
      seenSeq: 0n,
      skew: SKEW,
    })!;

  it.each<[string, Selector]>([
    ['a user of the IdP', { user: { iss: IDP, sub: 'alice' } }],
    ['another user, whom one RAS does not name', { user: { iss: IDP, sub: 'bob' } }],
    ['a user of the RAS', { user: { iss: RAS, sub: 'chat-alice' } }],
    ['a user of the RAS that only the IdP names', { user: { iss: RAS, sub: 'chat-bob' } }],
    ['a user with a tenant claim', { user: { iss: RAS, tenant: 'acme', sub: 'local-only' } }],
    ['the same without', { user: { iss: RAS, sub: 'local-only' } }],
    ['a client of the RAS', { client: { iss: RAS, client_id: 'wiki-at-chat' } }],
    ['a client of the IdP', { client: { iss: IDP, client_id: 'bot-at-idp' } }],
    ['an agent', { agent: { iss: IDP, id: 'agent-7' } }],
    ['a type of agent', { agent_type: 'coder' }],
    ['a resource', { resource: API }],
    ['a resource that only the ID-JAG names', { resource: 'https://files.chat.example' }],
    ['the RAS as a resource', { resource: RAS }],
    ['an issuer', { issuer: IDP }],
    ['the issuer of every token', { issuer: RAS }],
    ['a session', { session: { iss: IDP, sid: 's-1' } }],
    ['a session that a RAS states too', { session: { iss: IDP, sid: 's-2' } }],
    ['an ID-JAG', { id_jag: { iss: IDP, jti: 'gr-1' } }],
    ['a token', { token: { iss: RAS, jti: 'at-1' } }],
    ['a refresh token and what came of it', { token: { iss: RAS, jti: 'rt-1' } }],
    ['a parent that has expired', { token: { iss: RAS, jti: 'at-2' } }],
    ['a user at a resource', { user: { iss: IDP, sub: 'alice' }, resource: API }],
    [
      'a client with a type of agent',
      { client: { iss: RAS, client_id: 'bot-at-chat' }, agent_type: 'coder', issuer: IDP },
    ],
    ['two that no token has', { user: { iss: IDP, sub: 'alice' }, agent_type: 'coder' }],
    ['nobody', { user: { iss: IDP, sub: 'nobody' } }],
  ])('counts the live tokens of %s as the rule would stop them', async (_name, selector) => {
    const preview = await ask(selector);
    expect([preview.tokens, preview.at_least]).toEqual([await stoppedBy(selector), undefined]);
  });

  it('does not count a refresh token as a grant: its access tokens show the grant', async () => {
    const carol = { sub: 'carol', id_jag: undefined };
    const user: Selector = { user: { iss: RAS, sub: 'carol' } };
    await stage.emit(
      fromChat('token.issued', token({ ...carol, jti: 'rt-carol', kind: 'refresh', exp: undefined, aud: [RAS] })),
    );
    expect(await ask(user)).toMatchObject({ tokens: 1, users: 1, grants: 0, connections: 0 });
    await stage.emit(
      fromChat('token.issued', token({ ...carol, jti: 'at-carol', parent: { iss: RAS, jti: 'rt-carol' } })),
    );
    expect(await ask(user)).toMatchObject({ tokens: 2, users: 1, grants: 1 });
  });

  it('counts everything for an auditor, and for `all` without a confirmation', async () => {
    expect((await ask({ all: true }, {}, 'auditor')).tokens).toBe(await stoppedBy({ all: true }));
  });

  it('counts the grants behind the tokens, and the tokens that were used', async () => {
    expect(await ask({ user: { iss: IDP, sub: 'alice' } })).toEqual({
      as_of: { index: expect.stringMatching(/^\d+$/) },
      tokens: 4,
      used_in_last_hour: 1,
      users: 2,
      // Hers, and those of the names that her tokens and what came of them were issued to.
      grants: 3,
      connections: 1,
    });
    expect(await ask({ agent_type: 'coder' })).toMatchObject({
      tokens: 2,
      used_in_last_hour: 0,
      users: 1,
      grants: 2,
      connections: 1,
    });
    expect(await ask({ token: { iss: RAS, jti: 'at-1' } })).toMatchObject({
      tokens: 1,
      users: 1,
      grants: 1,
      connections: 1,
    });
  });

  it('counts for a revoke with a moment the tokens granted by then, including clock skew', async () => {
    const before = seconds() - 50;
    for (const selector of [{ issuer: RAS }, { user: { iss: RAS, tenant: 'acme', sub: 'local-only' } }] as const) {
      const preview = await ask(selector, { effect: 'revoke', before });
      expect(preview.tokens).toBe(await stoppedBy(selector, before));
    }
    expect(
      await ask(
        { user: { iss: RAS, tenant: 'acme', sub: 'local-only' } },
        { effect: 'revoke', before: before - 1_000 },
      ),
    ).toMatchObject({ tokens: 0 });
    expect(
      await ask(
        { user: { iss: RAS, tenant: 'acme', sub: 'local-only' } },
        { effect: 'revoke', before: before - 1_000, reauthenticate: true },
      ),
    ).toMatchObject({ tokens: 1 });
  });

  it('orders nothing', async () => {
    const { head } = stage.follower.state;
    await ask({ all: true }, {}, 'auditor');
    expect(stage.follower.state.head).toBe(head);
  });

  const failure = async (work: Promise<unknown>): Promise<string> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof RescindError)) throw new Error('expected a RescindError', { cause: error });
    return `${error.kind} ${error.code}`;
  };

  it('shows no caller more than it may revoke or audit', async () => {
    expect(await ask({ issuer: RAS }, {}, 'narrow')).toMatchObject({ tokens: await stoppedBy({ issuer: RAS }) });
    expect(await failure(ask({ issuer: IDP }, {}, 'narrow'))).toBe('forbidden selector-too-wide');
    expect(await failure(ask({ all: true }, {}, 'analyst'))).toBe('forbidden selector-too-wide');
    expect(await failure(ask({ issuer: RAS }, {}, 'emitter'))).toBe('forbidden forbidden');
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a list', []],
    ['no selector', {}],
    ['an empty one', { selector: {} }],
    ['a member of another type', { selector: { user: { iss: 1, sub: {} } } }],
    ['a NUL', { selector: { resource: 'a\0b' } }],
    ['a lone surrogate', { selector: { agent_type: '\ud800' } }],
    ['a prototype', { selector: { issuer: IDP }, __proto__: { x: 1 }, constructor: 1 }],
    ['a moment to come', { selector: { issuer: IDP }, effect: 'revoke', before: 4_000_000_000 }],
    ['a moment beyond all integers', { selector: { issuer: IDP }, effect: 'revoke', before: 1e308 }],
  ])('refuses %s with a 4xx', async (_name, body) => {
    expect(await failure(revocations.preview(callers['analyst']!, body))).toMatch(/^invalid /);
  });

  it.each(['%', "'; DROP TABLE token; --", '\\u0000', '{}', '"', '💥'.repeat(100), 'a'.repeat(512)])(
    'counts nothing for the name %p',
    async (name) => {
      const selectors: Selector[] = [
        { resource: name },
        { issuer: name },
        { agent_type: name },
        { user: { iss: name, tenant: name, sub: name } },
        { client: { iss: name, client_id: name } },
        { agent: { iss: name, id: name } },
        { session: { iss: name, sid: name } },
      ];
      for (const selector of selectors) expect(await ask(selector)).toMatchObject({ tokens: 0, grants: 0 });
    },
  );

  it('counts every token of a client, and the tokens that came from the last of them', async () => {
    const selector = { client: { iss: RAS, client_id: 'bot-at-chat' } };
    const { tokens: before } = await ask(selector);
    // Tokens of the client, each ending later than the one before, and a token of somebody else that came of the last.
    const last = 3_100;
    await stage.database.pool.query(
      `INSERT INTO token (tenant, key, parent_key, ix, seen_seq, source, facts, client, res, iat, exp)
       SELECT t.tenant, substring(sha256(('x' || n)::bytea) for 16), CASE WHEN n = $2 THEN substring(sha256(('x' || n - 1)::bytea) for 16) END, 10, 0, t.source, t.facts - 'jti' - 'id_jag'
              || CASE WHEN n = $2 THEN '{"client_id": "else"}'::jsonb ELSE '{}' END, CASE WHEN n = $2 THEN 0 ELSE t.client END, '{}', t.iat, t.exp + n
       FROM token t CROSS JOIN generate_series(1, $2::int) n WHERE t.tenant = $1 AND t.facts ->> 'jti' = 'at-4'`,
      [stage.tenant, last],
    );
    const { tokens, at_least } = await ask(selector);
    expect([tokens, at_least]).toEqual([before + last, undefined]);
  });
});
