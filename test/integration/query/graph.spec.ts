import { timeText } from '../../../src/contracts/index.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ACME, NOW, say, startQueryApi, T } from './history.js';
import { CRM, CRM_AS, IDP, STORY, WIKI, WIKI_AS } from './story.js';

let api: Awaited<ReturnType<typeof startQueryApi>>;
let ids: ReadonlyMap<string, number>;
let arrivals: readonly number[];

beforeAll(async () => {
  api = await startQueryApi(STORY);
  // Entry 11 has a token whose user nobody knew: it is Alice's, at the assistant.
  await api.say([
    /* 15 */ say('crm', 'token.issued', T + 65, {
      kind: 'access',
      iss: CRM_AS,
      jti: 'nobody-knows',
      client_id: 'assistant-at-crm',
      aud: [CRM],
      scope: 'contacts.write contacts.export',
      iat: T + 65,
      exp: T + 665,
      id_jag: { iss: IDP, jti: 'j9', sub: 'alice', tenant: 'acme' },
    }),
  ]);
  const entities = await api.pool.query<{ id: number; kind: number; parts: unknown }>(
    'SELECT id, kind, parts FROM entity WHERE tenant = $1',
    [ACME],
  );
  ids = new Map(entities.rows.map((row) => [`${row.kind} ${JSON.stringify(row.parts)}`, row.id]));
  const entries = await api.pool.query<{ arrival: string }>('SELECT arrival FROM entry WHERE tenant = $1 ORDER BY ix', [
    ACME,
  ]);
  arrivals = entries.rows.map(({ arrival }) => Number(arrival));
});
afterAll(() => api.stop());

const id = (kind: number, ...parts: (string | null)[]): string => {
  const found = ids.get(`${kind} ${JSON.stringify(parts)}`);
  if (found === undefined) throw new Error(`no entity ${kind} ${JSON.stringify(parts)}`);
  return String(found);
};
const seen = (index: number) => ({ index: String(index), at: timeText(Math.floor(arrivals[index]! / 1000)) });
const nobodyLeftOut = { users: 0, clients: 0, resources: 0, agents: 0, connections: 0 };
const sorted = (list: readonly object[]) => list.map((item) => JSON.stringify(Object.entries(item).sort())).sort();
const idOf = {
  assistant: () => id(2, IDP, 'assistant'),
  mailer: () => id(2, IDP, 'mailer'),
  alice: () => id(1, IDP, 'acme', 'alice'),
  bob: () => id(1, IDP, 'acme', 'bob'),
  robot: () => id(3, IDP, 'agent-7'),
  crm: () => id(5, CRM),
  wiki: () => id(5, WIKI),
};
const issuer = { issuer: `issuer:${IDP}` };
const named = (body: any, type: string) =>
  body.nodes
    .filter((node: any) => node.type === type)
    .map((node: any) => node.name)
    .sort();

/** The whole graph, as 16 entries tell it. */
const whole = () => ({
  nodes: [
    { id: `issuer:${IDP}`, type: 'issuer', name: IDP, users: 2 },
    {
      id: idOf.assistant(),
      type: 'client',
      name: 'assistant',
      ...issuer,
      first_seen: seen(0),
      users: 2,
      connections: 2,
      grants: 2,
      accesses: 44,
    },
    {
      id: idOf.mailer(),
      type: 'client',
      name: 'mailer',
      ...issuer,
      first_seen: seen(9),
      users: 1,
      connections: 1,
      grants: 1,
      accesses: 0,
    },
    { id: idOf.alice(), type: 'user', name: 'alice', tenant: 'acme', ...issuer, first_seen: seen(1) },
    { id: idOf.bob(), type: 'user', name: 'bob', tenant: 'acme', ...issuer, disabled: true, first_seen: seen(6) },
    { id: idOf.robot(), type: 'agent', name: 'agent-7', ...issuer, first_seen: seen(0) },
    { id: idOf.crm(), type: 'resource', name: CRM, first_seen: seen(0), connections: 2, grants: 2, accesses: 3 },
    { id: idOf.wiki(), type: 'resource', name: WIKI, first_seen: seen(5), connections: 1, grants: 1, accesses: 41 },
  ],
  edges: [assistantToWiki(), assistantToCrm(), mailerToCrm(), acts(), aliceActs(), bobActs(), bobMails()],
});
const assistantToWiki = () => ({
  type: 'connection',
  from: idOf.assistant(),
  to: idOf.wiki(),
  state: 'observed',
  first_seen: seen(6),
  grants: 1,
  accesses: 41,
  allowed: 41,
  denied: 0,
  first_access: timeText(T + 35),
  last_access: timeText(T + 119),
  approved_scopes: ['pages.read', 'pages.write'],
  granted_scopes: ['pages.read', 'pages.write'],
  used_scopes: ['pages.read'],
  unused_scopes: ['pages.write'],
});
const assistantToCrm = () => ({
  type: 'connection',
  from: idOf.assistant(),
  to: idOf.crm(),
  state: 'created',
  first_seen: seen(0),
  grants: 1,
  accesses: 3,
  allowed: 2,
  denied: 1,
  first_access: timeText(T + 30),
  last_access: timeText(T + 70),
  approved_scopes: ['contacts.read', 'contacts.write'],
  granted_scopes: ['contacts.export', 'contacts.read', 'contacts.write'],
  used_scopes: ['contacts.read', 'contacts.write'],
  unused_scopes: ['contacts.export'],
});
const mailerToCrm = () => ({
  type: 'connection',
  from: idOf.mailer(),
  to: idOf.crm(),
  state: 'deleted',
  first_seen: seen(9),
  grants: 1,
  accesses: 0,
  allowed: 0,
  denied: 0,
  first_access: null,
  last_access: null,
  approved_scopes: [],
  granted_scopes: ['contacts.read'],
  used_scopes: [],
  unused_scopes: ['contacts.read'],
});
const acts = () => ({ type: 'agent', from: idOf.robot(), to: idOf.assistant() });
const aliceActs = () => ({ type: 'grant', from: idOf.alice(), to: idOf.assistant(), resources: 1 });
const bobActs = () => ({ type: 'grant', from: idOf.bob(), to: idOf.assistant(), resources: 1 });
const bobMails = () => ({ type: 'grant', from: idOf.bob(), to: idOf.mailer(), resources: 1 });

describe('GET /v1/graph', () => {
  it('draws the IdP’s clients once, however many resource servers know them, and the users if they fit', async () => {
    const { status, body } = await api.get('/v1/graph');
    expect(status).toBe(200);
    expect([body.as_of, body.fold, body.left_out]).toEqual([{ index: '16', at: timeText(NOW) }, 'none', nobodyLeftOut]);
    expect(sorted(body.nodes)).toEqual(sorted(whole().nodes));
    expect(sorted(body.edges)).toEqual(sorted(whole().edges));
  });

  it('counts the users on clients and issuers if they are folded', async () => {
    const { body } = await api.get('/v1/graph?fold=users');
    expect([body.fold, body.left_out]).toEqual(['users', nobodyLeftOut]);
    expect(sorted(body.nodes)).toEqual(sorted(whole().nodes.filter(({ type }) => type !== 'user')));
    expect(sorted(body.edges)).toEqual(sorted(whole().edges.filter(({ type }) => type !== 'grant')));
  });

  it('makes the users of each team one node, with the users who hold grants at each client', async () => {
    const put = (entry: object) => api.send('POST', '/v1/directory/import', 'acme-admin', [entry]);
    const bob = { kind: 'user', iss: IDP, tenant: 'acme', id: 'bob' };
    expect(await put({ ...bob, team: 'Sales' })).toMatchObject({ status: 200 });
    const { body } = await api.get('/v1/graph?fold=teams');
    expect([body.fold, body.left_out]).toEqual(['teams', { ...nobodyLeftOut, teams: 0 }]);
    const folded = whole().nodes.filter(({ type }) => type !== 'user');
    expect(sorted(body.nodes)).toEqual(
      sorted([
        ...folded,
        { id: 'team:', type: 'team', name: '', users: 1 },
        { id: 'team:Sales', type: 'team', name: 'Sales', users: 1 },
      ]),
    );
    expect(sorted(body.edges.filter(({ type }: any) => type === 'grant'))).toEqual(
      sorted([
        { ...aliceActs(), from: 'team:', users: 1 },
        { ...bobActs(), from: 'team:Sales', users: 1 },
        { ...bobMails(), from: 'team:Sales', users: 1 },
      ]),
    );
    const { body: atWiki } = await api.get(`/v1/graph?fold=teams&resource=${WIKI}`);
    expect(named(atWiki, 'team')).toEqual(['Sales']);
    // Before the first grant nobody holds one.
    expect(named((await api.get('/v1/graph?fold=teams&as_of=1')).body, 'team')).toEqual([]);
    const removed = await api.send('DELETE', `/v1/directory/users/bob?iss=${IDP}&tenant=acme`, 'acme-admin');
    expect(removed).toMatchObject({ status: 200 });
  });

  it('shows as of an index the graph of then: a use belongs to nobody before its lineage came', async () => {
    const { body } = await api.get('/v1/graph?as_of=15');
    expect(body.as_of).toEqual({ index: '15', at: seen(14).at });
    const edges = whole().edges.map((edge) =>
      edge.type === 'connection' && 'accesses' in edge && edge.accesses === 3
        ? {
            ...edge,
            accesses: 2,
            allowed: 1,
            last_access: timeText(T + 40),
            granted_scopes: ['contacts.read', 'contacts.write'],
            used_scopes: ['contacts.read'],
            unused_scopes: ['contacts.write'],
          }
        : edge,
    );
    expect(sorted(body.edges)).toEqual(sorted(edges));
  });

  it('lacks as of the ninth entry the mailer, its deletion and Bob’s, and as of the sixth the wiki', async () => {
    const ninth = (await api.get('/v1/graph?as_of=9')).body;
    expect([named(ninth, 'client'), named(ninth, 'user'), ninth.nodes.some((node: any) => node.disabled)]).toEqual([
      ['assistant'],
      ['alice', 'bob'],
      false,
    ]);
    expect(
      ninth.edges.filter((edge: any) => edge.type === 'connection').map(({ to, accesses }: any) => [to, accesses]),
    ).toEqual([
      [idOf.wiki(), 41],
      [idOf.crm(), 2],
    ]);
    const sixth = (await api.get('/v1/graph?as_of=6')).body;
    expect([
      named(sixth, 'resource'),
      named(sixth, 'user'),
      sixth.nodes.find((node: any) => node.type === 'issuer').users,
    ]).toEqual([[CRM], ['alice'], 1]);
    const tenth = (await api.get('/v1/graph?as_of=12')).body;
    expect(tenth.edges.find((edge: any) => edge.from === idOf.mailer())).toMatchObject({
      state: 'observed',
      approved_scopes: ['contacts.read'],
    });
  });

  it.each([
    ['a user', () => `user_iss=${IDP}&user_sub=alice&user_tenant=acme`, ['alice'], [CRM]],
    ['a user under the RAS’s own name', () => `user_iss=${CRM_AS}&user_sub=crm-alice`, ['alice'], [CRM]],
    ['a resource', () => `resource=${WIKI}`, ['bob'], [WIKI]],
    ['an agent', () => `agent_iss=${IDP}&agent_id=agent-7`, ['alice', 'bob'], [CRM, WIKI]],
    ['a client', () => `client_iss=${IDP}&client_id=mailer`, ['bob'], [CRM]],
    ['a RAS’s client', () => `client_iss=${WIKI_AS}&client_id=assistant-at-wiki`, ['bob'], [WIKI]],
    ['two that have nothing in common', () => `client_iss=${IDP}&client_id=mailer&resource=${WIKI}`, [], []],
  ])('filters by %s', async (_, query, users, resources) => {
    const { status, body } = await api.get(`/v1/graph?${query()}`);
    expect(status).toBe(200);
    expect([named(body, 'user'), named(body, 'resource')]).toEqual([users, resources]);
  });

  it('counts for a user the user’s own accesses', async () => {
    const { body } = await api.get(`/v1/graph?user=${idOf.bob()}`);
    const connections = body.edges.filter((edge: any) => edge.type === 'connection');
    expect(sorted(connections)).toEqual(sorted([assistantToWiki(), mailerToCrm()]));
  });

  it('counts the accesses of a window, and draws connections without any, too', async () => {
    const { body } = await api.get(`/v1/graph?from=${T + 36}&to=${T + 61}`);
    const counted = body.edges
      .filter((edge: any) => edge.type === 'connection')
      .map(({ from, to, accesses, denied }: any) => [from, to, accesses, denied]);
    expect(counted).toEqual([
      [idOf.assistant(), idOf.wiki(), 40, 0],
      [idOf.assistant(), idOf.crm(), 1, 1],
      [idOf.mailer(), idOf.crm(), 0, 0],
    ]);
  });

  it.each([
    ['alice', 1, [['alice', 'assistant'], ['alice → assistant']]],
    [
      'alice',
      2,
      [
        ['agent-7', 'alice', 'assistant', 'bob', CRM, WIKI],
        ['agent-7 → assistant', 'alice → assistant', `assistant → ${CRM}`, `assistant → ${WIKI}`, 'bob → assistant'],
      ],
    ],
    ['wiki', 1, [['assistant', WIKI], [`assistant → ${WIKI}`]]],
    [
      'mailer',
      1,
      [
        ['bob', 'mailer', CRM],
        ['bob → mailer', `mailer → ${CRM}`],
      ],
    ],
    [
      'mailer',
      2,
      [
        ['assistant', 'bob', 'mailer', CRM],
        ['bob → assistant', 'bob → mailer', `assistant → ${CRM}`, `mailer → ${CRM}`],
      ],
    ],
    ['robot', 1, [['agent-7', 'assistant'], ['agent-7 → assistant']]],
    [
      'robot',
      2,
      [
        ['agent-7', 'alice', 'assistant', 'bob', CRM, WIKI],
        ['agent-7 → assistant', 'alice → assistant', `assistant → ${CRM}`, `assistant → ${WIKI}`, 'bob → assistant'],
      ],
    ],
  ] as const)('draws the neighbourhood of %s, %i edges away', async (start, depth, [names, arrows]) => {
    const { status, body } = await api.get(`/v1/graph?expand=${idOf[start]()}&depth=${depth}`);
    expect(status).toBe(200);
    const nameOf = new Map(body.nodes.map((node: any) => [node.id, node.name]));
    expect(
      body.nodes
        .filter((node: any) => node.type !== 'issuer')
        .map((node: any) => node.name)
        .sort(),
    ).toEqual([...names].sort());
    expect(body.edges.map((edge: any) => `${nameOf.get(edge.from)} → ${nameOf.get(edge.to)}`).sort()).toEqual(
      [...arrows].sort(),
    );
    expect([body.left_out, body.fold]).toEqual([nobodyLeftOut, 'none']);
  });

  it('draws the IdP’s client under any of its names, with the counts of the whole graph', async () => {
    const { body } = await api.get(`/v1/graph?expand=${id(2, WIKI_AS, 'assistant-at-wiki')}`);
    expect(sorted(body.edges)).toEqual(sorted([assistantToWiki(), assistantToCrm(), acts(), aliceActs(), bobActs()]));
    expect(body.nodes.find((node: any) => node.id === idOf.assistant())).toMatchObject({
      users: 2,
      connections: 2,
      accesses: 44,
    });
  });

  it('draws a neighbourhood as of a moment', async () => {
    const { body } = await api.get(`/v1/graph?expand=${idOf.assistant()}&as_of=6`);
    expect([named(body, 'resource'), named(body, 'user')]).toEqual([[CRM], ['alice']]);
    expect((await api.get(`/v1/graph?expand=${idOf.mailer()}&as_of=6`)).body.code).toBe('not-found');
  });

  it.each([
    ['expand=0', 400, 'invalid-request'],
    ['expand=x', 400, 'invalid-request'],
    ['expand=2147483648', 400, 'invalid-request'],
    ['expand=999999', 404, 'not-found'],
    ['expand=1&expand=2', 400, 'invalid-request'],
    ['expand=1&depth=0', 400, 'invalid-request'],
    ['expand=1&depth=4', 400, 'invalid-request'],
    ['depth=1', 400, 'inconsistent-request'],
    ['expand=1&fold=none', 400, 'inconsistent-request'],
    [`expand=1&resource=${CRM}`, 400, 'inconsistent-request'],
    ['fold=all', 400, 'invalid-request'],
    ['as_of=17', 400, 'as-of-out-of-range'],
    ['as_of=0', 400, 'as-of-out-of-range'],
    ['as_of=2100-01-01T00:00:00Z', 400, 'as-of-out-of-range'],
    ['as_of=yesterday', 400, 'invalid-request'],
    ['from=1790000001&to=1790000001', 400, 'inconsistent-request'],
    ['limit=1', 400, 'invalid-request'],
  ])('refuses %s', async (query, status, code) => {
    const answer = await api.get(`/v1/graph?${query}`);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('accepts no scope, route or address for a node', async () => {
    const { rows } = await api.pool.query<{ id: number }>(
      'SELECT min(id) AS id FROM entity WHERE tenant = $1 AND kind IN (7, 8, 9) GROUP BY kind',
      [ACME],
    );
    expect(rows).toHaveLength(3);
    for (const row of rows) expect((await api.get(`/v1/graph?expand=${row.id}`)).body.code).toBe('not-found');
  });
});
