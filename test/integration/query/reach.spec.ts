import { timeText } from '../../../src/contracts/index.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ruleKey } from '../../../src/rules/index.js';
import { ACME, keyOf, NOW, say, sha256, startQueryApi, tokenId } from './history.js';
import { AFTER_RULE, BEFORE_RULE, BOB, R1, RULE_1, T2, W } from './incident-story.js';
import { sayOwn } from './own-entries.js';
import { AGENT, CRM, CRM_AS, IDP, WIKI, WIKI_AS } from './story.js';

let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  api = await startQueryApi(BEFORE_RULE);
  expect(await sayOwn(api.pool, ACME, 'revocation.ordered', (W + 100) * 1000, RULE_1)).toBe(8n);
  await api.say(AFTER_RULE);
});
afterAll(() => api.stop());

const ID_1 = tokenId(ruleKey(keyOf(ACME), 'token', [CRM_AS, 't1']));
const ID_2 = tokenId(ruleKey(keyOf(ACME), 'token', [sha256(T2)]));
const ofClient = `/v1/blast-radius?client_iss=${IDP}&client_id=assistant`;
const ask = async (path: string) => {
  const { status, body } = await api.get(path);
  expect([path, status, body.code]).toEqual([path, 200, undefined]);
  return body;
};
const brief = (group: any) => [
  group.count,
  group.top.map((one: any) => [
    one.item.sub ?? one.item.client_id ?? one.item.id ?? one.item.uri,
    one.grants,
    one.live_tokens,
  ]),
  group.left_out,
];

describe('blast radius of a client', () => {
  it('gives now the whole answer, worked out by hand', async () => {
    const entity = expect.any(Number);
    const alice = { entity, iss: IDP, tenant: 'acme', sub: 'alice' };
    const bob = { entity, ...BOB };
    const atCrm = { entity, iss: CRM_AS, client_id: 'assistant-at-crm' };
    const atWiki = { entity, iss: WIKI_AS, client_id: 'assistant-at-wiki' };
    const agent = { entity, iss: IDP, id: AGENT.id };
    const crm = { entity, uri: CRM };
    const wiki = { entity, uri: WIKI };
    const selector = { client: { iss: IDP, client_id: 'assistant' } };
    expect(await ask(ofClient)).toEqual({
      as_of: { index: '11', at: timeText(NOW) },
      start: {
        kind: 'client',
        selector,
        other_names: [
          { entity, name: atCrm, covered: true },
          { entity, name: atWiki, covered: true },
        ],
      },
      since: timeText(NOW - 30 * 86_400),
      reachable: {
        users: {
          count: 2,
          top: [
            { item: alice, grants: 1, live_tokens: 1 },
            { item: bob, grants: 1, live_tokens: 0 },
          ],
          left_out: 0,
        },
        clients: {
          count: 2,
          top: [
            { item: atCrm, grants: 1, live_tokens: 1 },
            { item: atWiki, grants: 1, live_tokens: 0 },
          ],
          left_out: 0,
        },
        agents: { count: 1, top: [{ item: agent, grants: 2, live_tokens: 1 }], left_out: 0 },
        resources: {
          count: 2,
          top: [
            { item: crm, grants: 1, live_tokens: 1 },
            { item: wiki, grants: 1, live_tokens: 0 },
          ],
          left_out: 0,
        },
      },
      grants: { count: 2 },
      tokens: {
        live: 1,
        stopped: 1,
        newest: [
          {
            id: ID_1,
            index: '1',
            kind: 'access',
            user: alice,
            client: atCrm,
            agent,
            resources: [crm],
            issued_at: timeText(W + 5),
            expires_at: timeText(W + 90_000),
          },
        ],
        left_out: 0,
      },
      usage: {
        uses: 45,
        allowed: 43,
        denied: 2,
        records: 410,
        bytes: 9_576,
        first: timeText(W + 10),
        last: timeText(W + 111),
        operations: [
          { operation: 'read', allowed: 3, denied: 0, records: 10, bytes: 576 },
          { operation: 'delete', allowed: 0, denied: 1, records: 0, bytes: 0 },
          { operation: 'export', allowed: 40, denied: 1, records: 400, bytes: 9_000 },
        ],
        resources: {
          count: 2,
          top: [
            { resource: wiki, allowed: 42, denied: 1, records: 409, bytes: 9_064, last: timeText(W + 111) },
            { resource: crm, allowed: 1, denied: 1, records: 1, bytes: 512, last: timeText(W + 12) },
          ],
          left_out: 0,
        },
      },
      rules: [{ order: { selector, effect: 'block' }, live_tokens: 1, preview: null }],
    });
  });

  it.each([
    // Before the lineage of bob's token, with it, with the summary, with the rule.
    ['6', { live: 1, stopped: 0 }, { allowed: 1, denied: 1, records: 1, bytes: 512, last: timeText(W + 12) }],
    ['7', { live: 2, stopped: 0 }, { allowed: 2, denied: 1, records: 8, bytes: 512, last: timeText(W + 20) }],
    ['8', { live: 2, stopped: 0 }, { allowed: 42, denied: 1, records: 408, bytes: 9_512, last: timeText(W + 60) }],
    ['9', { live: 1, stopped: 1 }, { allowed: 42, denied: 1, records: 408, bytes: 9_512, last: timeText(W + 60) }],
  ])('as of %s', async (index, tokens, usage) => {
    const sut = await ask(`${ofClient}&as_of=${index}`);
    expect(sut.as_of.index).toBe(index);
    expect({ tokens: sut.tokens, usage: sut.usage, grants: sut.grants.count }).toMatchObject({
      tokens,
      usage,
      grants: 2,
    });
  });

  it('leaves out bob as of a moment before bob was known', async () => {
    const sut = await ask(`${ofClient}&as_of=5`);
    expect([sut.start.other_names.length, brief(sut.reachable.users)]).toEqual([1, [1, [['alice', 1, 1]], 0]]);
    expect((await api.get(`/v1/blast-radius?user_iss=${IDP}&user_tenant=acme&user_sub=bob&as_of=5`)).body.code).toBe(
      'not-found',
    );
  });
});

describe('blast radius of other things', () => {
  it.each<[string, string, object]>([
    [
      'a user',
      `user_iss=${IDP}&user_tenant=acme&user_sub=bob`,
      {
        tokens: { live: 0, stopped: 1 },
        usage: { allowed: 42, denied: 1 },
        grants: { count: 1 },
        rules: [{ order: { selector: { user: BOB }, effect: 'block' } }],
      },
    ],
    [
      'an agent',
      `agent_iss=${IDP}&agent_id=${AGENT.id}`,
      {
        tokens: { live: 1, stopped: 1 },
        usage: { allowed: 43, denied: 2 },
        grants: { count: 2 },
        rules: [{ order: { selector: { agent: { iss: IDP, id: AGENT.id } }, effect: 'block' } }],
      },
    ],
    [
      'an ID-JAG',
      `id_jag_iss=${IDP}&id_jag_jti=j2`,
      {
        tokens: { live: 0, stopped: 1 },
        grants: { count: 0 },
        usage: { allowed: 42, denied: 1 },
        rules: [{ order: { selector: { id_jag: { iss: IDP, jti: 'j2' } }, effect: 'revoke' } }],
      },
    ],
    [
      'a token',
      `token=${ID_1}`,
      {
        tokens: { live: 1, stopped: 0 },
        usage: { allowed: 1, denied: 1 },
        grants: { count: 1 },
        rules: [{ order: { selector: { token: { iss: CRM_AS, jti: 't1' } }, effect: 'revoke' } }],
      },
    ],
    [
      'a type of agent',
      `agent_type=${AGENT.type}`,
      {
        start: { kind: 'agent_type', selector: { agent_type: AGENT.type }, other_names: [] },
        tokens: { live: 1, stopped: 1 },
        usage: { allowed: 43, denied: 2 },
        grants: { count: 1 },
        rules: [{ order: { selector: { agent_type: AGENT.type }, effect: 'block' } }],
      },
    ],
    [
      'an issuer',
      `issuer=${CRM_AS}`,
      {
        start: { kind: 'issuer', selector: { issuer: CRM_AS }, other_names: [] },
        tokens: { live: 1, stopped: 0 },
        usage: { allowed: 1, denied: 1 },
        grants: { count: 1 },
        rules: [{ order: { selector: { issuer: CRM_AS }, effect: 'block' } }],
      },
    ],
  ])('%s', async (_name, query, expected) => expect(await ask(`/v1/blast-radius?${query}`)).toMatchObject(expected));

  it('counts uses from `since` on', async () => {
    expect((await ask(`${ofClient}&as_of=11&since=${W + 100}`)).usage).toMatchObject({
      allowed: 1,
      denied: 1,
      records: 2,
      bytes: 64,
      first: timeText(W + 110),
    });
  });

  it('shows in the other direction who reaches a resource', async () => {
    const sut = await ask(`/v1/reach?resource=${WIKI}`);
    expect({ ...sut.start, ...sut.tokens }).toMatchObject({
      kind: 'resource',
      selector: { resource: WIKI },
      live: 0,
      stopped: 1,
    });
    expect([brief(sut.reachable.users), brief(sut.reachable.clients), sut.grants.count]).toEqual([
      [1, [['bob', 1, 0]], 0],
      [1, [['assistant-at-wiki', 1, 0]], 0],
      1,
    ]);
    expect((await ask(`/v1/reach?resource=${WIKI}&as_of=8`)).tokens).toMatchObject({
      live: 1,
      stopped: 0,
      newest: [{ id: ID_2 }],
    });
  });
});

it('live tokens are found however many have ended, and so are tokens that came from the first ended one', async () => {
  const { rows } = await api.pool.query<{ client: number }>(
    `SELECT client FROM token WHERE tenant = $1 AND facts ->> 'jti' = 't1'`,
    [ACME],
  );
  const expired = (from: number, to: number, iat: number) =>
    api.pool.query(
      `INSERT INTO token (tenant, key, ix, seen_seq, source, facts, client, res, iat, exp)
       SELECT $1, substring(sha256(('x' || n)::bytea) for 16), 10, 0, $1, '{"kind":"access"}', $2, '{}', $3::bigint, $3::bigint + 60 FROM generate_series($4::int, $5::int) n`,
      [ACME, rows[0]!.client, iat, from, to],
    );
  const path = `/v1/blast-radius?client=${rows[0]!.client}`;
  const live = async () => {
    const { tokens } = await ask(path);
    expect(tokens).not.toHaveProperty('at_least');
    return tokens.live;
  };
  await expired(1, 40, NOW - 100);
  expect(await live()).toBe(1);
  // Somebody else's, and it came of one that ended.
  await api.pool.query(
    `INSERT INTO token (tenant, key, parent_key, ix, seen_seq, source, facts, client, res, iat, exp)
     SELECT t.tenant, substring(sha256(n::text::bytea) for 16), CASE WHEN n = 2 THEN substring(sha256('1') for 16) END, 10, 0, t.source,
            t.facts || jsonb_build_object('jti', 'n' || n, 'client_id', CASE WHEN n = 2 THEN 'else' ELSE t.facts ->> 'client_id' END),
            CASE WHEN n = 2 THEN (SELECT e.id FROM entity e WHERE e.tenant = $1 AND e.kind = 2 AND e.id <> t.client AND NOT EXISTS (SELECT FROM alias a WHERE (a.local, a.idp) IN ((e.id, t.client), (t.client, e.id))) LIMIT 1) ELSE t.client END, '{}', $2::bigint - 100, $2::bigint - 39 + (n - 1) * 1000
     FROM token t CROSS JOIN generate_series(1, 2) n WHERE t.tenant = $1 AND t.facts ->> 'jti' = 't1'`,
    [ACME, NOW],
  );
  expect(await live()).toBe(2);
  await expired(41, 4_000, NOW - 100);
  expect(await live()).toBe(2);
  await api.pool.query(
    `INSERT INTO token (tenant, key, ix, seen_seq, source, facts, client, res, iat, exp)
     SELECT t.tenant, substring(sha256(('l' || n)::bytea) for 16), 10, 0, t.source, t.facts || jsonb_build_object('jti', 'l' || n), t.client, '{}', $2::bigint - 100, $2::bigint + 1000
     FROM token t CROSS JOIN generate_series(1, 500) n WHERE t.tenant = $1 AND t.facts ->> 'jti' = 't1'`,
    [ACME, NOW],
  );
  expect(await live()).toBe(502);
});

describe('a question that is refused', () => {
  const bad: [string, number, string][] = [
    ['/v1/blast-radius', 400, 'inconsistent-request'],
    ['/v1/blast-radius?user=1&client=2', 400, 'inconsistent-request'],
    ['/v1/blast-radius?user=x', 400, 'invalid-request'],
    ['/v1/blast-radius?user=999999', 404, 'not-found'],
    [`/v1/blast-radius?user_iss=${IDP}`, 400, 'inconsistent-request'],
    [`/v1/blast-radius?session_iss=${IDP}`, 400, 'inconsistent-request'],
    [`/v1/blast-radius?session_sid=s`, 400, 'inconsistent-request'],
    [`/v1/blast-radius?session_iss=${IDP}&session_sid=none`, 404, 'not-found'],
    [`/v1/blast-radius?id_jag_iss=${IDP}`, 400, 'inconsistent-request'],
    [`/v1/blast-radius?id_jag_iss=${IDP}&id_jag_jti=none`, 404, 'not-found'],
    ['/v1/blast-radius?id_jag_sha256=short', 400, 'invalid-request'],
    [`/v1/blast-radius?id_jag_sha256=${sha256('x')}&id_jag_jti=j1`, 400, 'inconsistent-request'],
    [`/v1/blast-radius?id_jag_sha256=${sha256('x')}`, 404, 'not-found'],
    ['/v1/blast-radius?token=x', 400, 'invalid-request'],
    ['/v1/blast-radius?token=AAAAAAAAAAAAAAAAAAAAAA', 404, 'not-found'],
    ['/v1/blast-radius?resource=urn:nothing', 404, 'not-found'],
    ['/v1/blast-radius?agent_type=nobody', 404, 'not-found'],
    ['/v1/blast-radius?issuer=urn:nothing', 404, 'not-found'],
    ['/v1/blast-radius?agent_type=support&issuer=urn:nothing', 400, 'inconsistent-request'],
    [`${ofClient}&since=0`, 400, 'time-out-of-range'],
    [`${ofClient}&since=4000000000`, 400, 'inconsistent-request'],
    [`${ofClient}&preview=yes`, 400, 'invalid-request'],
    [`${ofClient}&limit=1`, 400, 'invalid-request'],
    [`${ofClient}&client_id=b`, 400, 'invalid-request'],
    [`${ofClient}&as_of=12`, 400, 'as-of-out-of-range'],
    [`${ofClient}&as_of=0`, 400, 'as-of-out-of-range'],
    [`${ofClient}&as_of=yesterday`, 400, 'invalid-request'],
    ['/v1/reach', 400, 'invalid-request'],
    [`/v1/reach?user_iss=${IDP}&user_sub=alice`, 400, 'invalid-request'],
  ];
  it.each(bad)('%s → %i %s', async (path, status, code) => {
    const answer = await api.get(path);
    expect([answer.status, answer.type, answer.body.code]).toEqual([status, 'application/problem+json', code]);
  });

  it.each([
    ofClient,
    `/v1/blast-radius?token=${ID_1}`,
    `/v1/blast-radius?id_jag_iss=${IDP}&id_jag_jti=j2`,
    `/v1/reach?resource=${WIKI}`,
  ])('knows nothing for another tenant: %s', async (path) => {
    const { status, body } = await api.get(path, 'globex-audit');
    expect([status, body.code]).toEqual([404, 'not-found']);
  });

  it.each(['admin', 'revoke', 'emit', 'guard', 'introspect', 'revoke-own'])('%s may not ask', async (role) => {
    for (const path of [
      ofClient,
      `/v1/reach?resource=${WIKI}`,
      `/v1/reports/access-review?resource=${WIKI}`,
      `/v1/reports/incident?rule=${R1}`,
    ]) {
      expect((await api.get(path, `acme-${role}`)).body.code).toBe('forbidden');
    }
  });
});

it('all uses of a client, a resource or an agent are counted', async () => {
  const token = { iss: CRM_AS, jti: 't1' };
  const early = W - 7_200;
  await api.say(
    Array.from({ length: 1_200 }, (_, n) =>
      say('crm', n % 3 === 0 ? 'access.denied' : 'access.allowed', early + n, {
        token,
        operation: 'read',
        status: 200,
        records: n,
        bytes: 2,
      }),
    ),
  );
  const since = early + 100;
  for (const [asOf, last] of [
    ['&as_of=1211', 1_200n],
    ['&as_of=1011', 1_000n],
  ] as const) {
    const { rows } = await api.pool.query<Record<string, string>>(
      `SELECT coalesce(sum(n) FILTER (WHERE outcome = 1), 0) AS allowed, coalesce(sum(n) FILTER (WHERE outcome <> 1), 0) AS denied,
              coalesce(sum(records) FILTER (WHERE outcome = 1), 0) AS records, coalesce(sum(bytes) FILTER (WHERE outcome = 1), 0) AS bytes, min(at) AS first, max(until_at) AS last
       FROM access WHERE tenant = $1 AND client = (SELECT client FROM token WHERE tenant = $1 AND facts ->> 'jti' = 't1') AND at >= $2 AND ix < $3`,
      [ACME, since, String(11n + last)],
    );
    const { first, last: latest, ...sums } = rows[0]!;
    const expected = Object.fromEntries(Object.entries(sums).map(([name, value]) => [name, Number(value)]));
    const times = { first: timeText(Number(first)), last: timeText(Number(latest)) };
    const ofAtCrm = await ask(`/v1/blast-radius?client_iss=${CRM_AS}&client_id=assistant-at-crm&since=${since}${asOf}`);
    const ofCrm = await ask(`/v1/reach?resource=${CRM}&since=${since}${asOf}`);
    for (const { usage } of [ofAtCrm, ofCrm]) {
      expect(usage).toMatchObject({ ...expected, ...times, uses: expected['allowed']! + expected['denied']! });
      const total = (member: 'allowed' | 'denied' | 'records' | 'bytes'): number =>
        usage.operations.reduce((sum: number, one: any) => sum + one[member], 0);
      for (const member of ['allowed', 'denied', 'records', 'bytes'] as const)
        expect([member, total(member)]).toEqual([member, expected[member]]);
    }
  }
  // Uses at one name do not hide those at another.
  const { usage } = await ask(`${ofClient}&since=${since}&as_of=1211`);
  expect([usage.last, usage.resources.count]).toEqual([timeText(W + 111), 2]);
  const { rows } = await api.pool.query<{ uses: string }>(
    'SELECT sum(n) AS uses FROM access WHERE tenant = $1 AND agent IS NOT NULL AND at >= $2 AND ix < 1211',
    [ACME, since],
  );
  const ofAgent = (await ask(`/v1/blast-radius?agent_iss=${IDP}&agent_id=${AGENT.id}&since=${since}&as_of=1211`)).usage;
  expect([ofAgent.uses, ofAgent.at_least]).toEqual([Number(rows[0]!.uses), undefined]);
});

it('a rule that comes after an answer is in the next answer', async () => {
  const path = `/v1/blast-radius?token=${ID_1}`;
  expect((await ask(path)).tokens).toMatchObject({ live: 1, stopped: 0 });
  await sayOwn(api.pool, ACME, 'revocation.ordered', NOW * 1000, {
    ...RULE_1,
    rule: `${R1}-2`,
    seq: '901',
    selector: { agent: { iss: IDP, id: AGENT.id } },
  });
  expect((await ask(path)).tokens).toMatchObject({ live: 0, stopped: 1 });
});

it('knows a type of agent that a token states beside the agent of its ID-JAG', async () => {
  const own = await startQueryApi([
    [
      say('crm', 'token.issued', W + 600, {
        kind: 'access',
        iss: CRM_AS,
        jti: 'typed-by-its-ras',
        client_id: 'assistant-at-crm',
        aud: [CRM],
        iat: W + 600,
        exp: W + 90_000,
        agent: { type: 'planner' },
        id_jag: { iss: IDP, jti: 'j-typed', sub: 'alice', tenant: 'acme', agent: { id: 'agent-8' } },
      }),
    ],
  ]);
  try {
    const { status, body } = await own.get('/v1/blast-radius?agent_type=planner');
    expect([status, body.tokens]).toEqual([200, expect.objectContaining({ live: 1, stopped: 0 })]);
  } finally {
    await own.stop();
  }
});
