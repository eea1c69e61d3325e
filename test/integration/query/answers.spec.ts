import { instantText, timeText } from '../../../src/contracts/index.js';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ruleKey } from '../../../src/rules/index.js';
import { ACME, keyOf, NOW, RULE, sha256, SOURCES, startQueryApi, T, tokenId } from './history.js';
import { CRM, CRM_AS, IDP, STORY, T2_TEXT, WIKI, WIKI_AS } from './story.js';

let api: Awaited<ReturnType<typeof startQueryApi>>;
/** Small ids are given as names come up; the answers are checked against what they stand for. */
let ids: ReadonlyMap<string, number>;
/** Arrival of each entry, epoch milliseconds. */
let arrivals: readonly number[];

beforeAll(async () => {
  api = await startQueryApi(STORY);
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

const id = (kind: number, ...parts: (string | null)[]): number => {
  const found = ids.get(`${kind} ${JSON.stringify(parts)}`);
  if (found === undefined) throw new Error(`no entity ${kind} ${JSON.stringify(parts)}`);
  return found;
};
const user = (sub: string) => ({ entity: id(1, IDP, 'acme', sub), iss: IDP, tenant: 'acme', sub });
const client = (iss: string, name: string) => ({ entity: id(2, iss, name), iss, client_id: name });
const agent = () => ({ entity: id(3, IDP, 'agent-7'), iss: IDP, id: 'agent-7' });
const resource = (uri: string) => ({ entity: id(5, uri), uri });
const source = (name: 'idp' | 'crm' | 'wiki') => ({ id: SOURCES[name].id, name });
const secondsOf = (index: number): number => Math.floor(arrivals[index]! / 1000);
const jwt = (jti: string): string => tokenId(ruleKey(keyOf(ACME), 'token', [CRM_AS, jti]));
const opaque = (): string => tokenId(ruleKey(keyOf(ACME), 'token', [sha256(T2_TEXT)]));
const connection = (idpClient: string, ras: string, local: string, uri: string): string =>
  tokenId(ruleKey(keyOf(ACME), 'connection', [IDP, 'acme', idpClient, ras, null, local, uri]));
const AS_OF = { index: '15', at: timeText(NOW) };

describe('GET /v1/connections', () => {
  const connections = () => [
    {
      id: connection('assistant', CRM_AS, 'assistant-at-crm', CRM),
      state: 'created',
      since: { index: '0', at: timeText(secondsOf(0)) },
      decided_at: timeText(T),
      idp_client: client(IDP, 'assistant'),
      client: client(CRM_AS, 'assistant-at-crm'),
      resource: resource(CRM),
      agent: agent(),
      granted_scopes: ['contacts.read', 'contacts.write'],
      used_scopes: ['contacts.read'],
      unused_scopes: ['contacts.write'],
      users: 1,
      accesses: 2,
      allowed: 1,
      denied: 1,
      first_used: timeText(T + 30),
      last_used: timeText(T + 30),
    },
    {
      id: connection('assistant', WIKI_AS, 'assistant-at-wiki', WIKI),
      state: 'observed',
      since: { index: '6', at: timeText(secondsOf(6)) },
      decided_at: null,
      idp_client: client(IDP, 'assistant'),
      client: client(WIKI_AS, 'assistant-at-wiki'),
      resource: resource(WIKI),
      agent: agent(),
      granted_scopes: ['pages.read', 'pages.write'],
      used_scopes: ['pages.read'],
      unused_scopes: ['pages.write'],
      users: 1,
      accesses: 41,
      allowed: 41,
      denied: 0,
      first_used: timeText(T + 35),
      last_used: timeText(T + 119),
    },
    {
      id: connection('mailer', CRM_AS, 'mailer-at-crm', CRM),
      state: 'deleted',
      since: { index: '12', at: timeText(secondsOf(12)) },
      decided_at: timeText(T + 200),
      idp_client: client(IDP, 'mailer'),
      client: client(CRM_AS, 'mailer-at-crm'),
      resource: resource(CRM),
      agent: null,
      granted_scopes: ['contacts.read'],
      used_scopes: [],
      unused_scopes: ['contacts.read'],
      users: 1,
      accesses: 0,
      allowed: 0,
      denied: 0,
      first_used: null,
      last_used: null,
    },
  ];
  const bySince = (items: any[]) => [...items].sort((a, b) => Number(a.since.index) - Number(b.since.index));

  it('sets granted and used scopes side by side, with the client at both ends', async () => {
    const { status, body } = await api.get('/v1/connections');
    expect(status).toBe(200);
    expect(body.as_of).toEqual(AS_OF);
    expect(body.next).toBeUndefined();
    expect(bySince(body.items)).toEqual(connections());
  });

  it.each([
    ['the IdP’s client', () => `client_iss=${IDP}&client_id=assistant`, [0, 1]],
    ['a RAS’s client', () => `client_iss=${CRM_AS}&client_id=mailer-at-crm`, [2]],
    ['an entity id', () => `client=${id(2, IDP, 'mailer')}`, [2]],
    ['a resource', () => `resource=${CRM}`, [0, 2]],
    ['an agent', () => `agent_iss=${IDP}&agent_id=agent-7`, [0, 1]],
    ['an agent and a resource', () => `agent_iss=${IDP}&agent_id=agent-7&resource=${id(5, WIKI)}`, [1]],
  ])('filters by %s', async (_, query, wanted) => {
    const { body } = await api.get(`/v1/connections?${query()}`);
    expect(bySince(body.items)).toEqual(wanted.map((nth) => connections()[nth]));
  });

  it('limits the usage, not the list, by time', async () => {
    const { body } = await api.get(`/v1/connections?from=${T + 36}&to=${T + 61}`);
    expect(bySince(body.items).map(({ accesses, denied }: any) => [accesses, denied])).toEqual([
      [1, 1],
      [40, 0],
      [0, 0],
    ]);
  });

  it('pages', async () => {
    const items: any[] = [];
    let next: string | undefined = '';
    for (let pages = 0; next !== undefined; pages++) {
      expect(pages).toBeLessThan(3);
      const page: any = (await api.get(`/v1/connections?limit=1${next && `&cursor=${next}`}`)).body;
      expect(page.items).toHaveLength(1);
      items.push(...page.items);
      next = page.next;
    }
    expect(bySince(items)).toEqual(connections());
  });
});

describe('GET /v1/grants', () => {
  const grants = () => [
    {
      user: user('alice'),
      client: client(CRM_AS, 'assistant-at-crm'),
      resource: resource(CRM),
      agent: agent(),
      granted_scopes: ['contacts.read', 'contacts.write'],
      used_scopes: ['contacts.read'],
      unused_scopes: ['contacts.write'],
      first_granted: { index: '1', at: timeText(secondsOf(1)) },
      accesses: 2,
      allowed: 1,
      denied: 1,
      first_used: timeText(T + 30),
      last_used: timeText(T + 30),
    },
    {
      user: user('bob'),
      client: client(WIKI_AS, 'assistant-at-wiki'),
      resource: resource(WIKI),
      agent: agent(),
      granted_scopes: ['pages.read', 'pages.write'],
      used_scopes: ['pages.read'],
      unused_scopes: ['pages.write'],
      first_granted: { index: '6', at: timeText(secondsOf(6)) },
      accesses: 41,
      allowed: 41,
      denied: 0,
      first_used: timeText(T + 35),
      last_used: timeText(T + 119),
    },
    {
      user: user('bob'),
      client: client(CRM_AS, 'mailer-at-crm'),
      resource: resource(CRM),
      agent: null,
      granted_scopes: ['contacts.read'],
      used_scopes: [],
      unused_scopes: ['contacts.read'],
      first_granted: { index: '9', at: timeText(secondsOf(9)) },
      accesses: 0,
      allowed: 0,
      denied: 0,
      first_used: null,
      last_used: null,
    },
  ];
  const byFirst = (items: any[]) =>
    [...items].sort((a, b) => Number(a.first_granted.index) - Number(b.first_granted.index));

  it.each([
    ['nothing', () => '', [0, 1, 2]],
    ['a user', () => `?user_iss=${IDP}&user_sub=bob&user_tenant=acme`, [1, 2]],
    ['a user under the RAS’s own name', () => `?user_iss=${CRM_AS}&user_sub=crm-alice`, [0]],
    ['the IdP’s client', () => `?client_iss=${IDP}&client_id=assistant`, [0, 1]],
    ['a resource', () => `?resource=${CRM}`, [0, 2]],
    ['an agent', () => `?agent=${id(3, IDP, 'agent-7')}`, [0, 1]],
    ['a user and a resource', () => `?user=${id(1, IDP, 'acme', 'bob')}&resource=${CRM}`, [2]],
  ])('filters by %s', async (_, query, wanted) => {
    const { status, body } = await api.get(`/v1/grants${query()}`);
    expect(status).toBe(200);
    expect(byFirst(body.items)).toEqual(wanted.map((nth) => grants()[nth]));
  });

  it('pages', async () => {
    const first = (await api.get('/v1/grants?limit=2')).body;
    const second = (await api.get(`/v1/grants?limit=2&cursor=${first.next}`)).body;
    expect(second.next).toBeUndefined();
    expect(byFirst([...first.items, ...second.items])).toEqual(grants());
  });
});

describe('GET /v1/access', () => {
  const plain = {
    agent: null,
    user: null,
    client: null,
    status: null,
    scopes: [],
    records: null,
    bytes: null,
    client_address: null,
    count: 1,
  };
  const bobs = () => ({
    ...plain,
    attributed: true,
    user: user('bob'),
    client: client(WIKI_AS, 'assistant-at-wiki'),
    agent: agent(),
    resource: resource(WIKI),
    route: 'search',
    operation: 'read',
    outcome: 'allowed',
    scopes: ['pages.read'],
    token: opaque(),
    source: source('wiki'),
  });
  const alices = () => ({
    ...plain,
    attributed: true,
    user: user('alice'),
    client: client(CRM_AS, 'assistant-at-crm'),
    agent: agent(),
    resource: resource(CRM),
    route: '/contacts/{id}',
    token: jwt('t1'),
    source: source('crm'),
  });
  const nobodys = () => ({
    ...plain,
    attributed: false,
    resource: resource(CRM),
    token: jwt('nobody-knows'),
    source: source('crm'),
  });
  const rows = () => ({
    3: {
      ...alices(),
      index: '3',
      at: timeText(T + 30),
      operation: 'read',
      outcome: 'allowed',
      status: 200,
      scopes: ['contacts.read'],
      records: 1,
      bytes: 512,
      client_address: '203.0.113.7',
    },
    4: { ...alices(), index: '4', at: timeText(T + 40), operation: 'delete', outcome: 'denied', status: 403 },
    5: { ...bobs(), index: '5', at: timeText(T + 35), status: 200, records: 7 },
    8: { ...bobs(), index: '8', at: timeText(T + 60), until: timeText(T + 119), count: 40 },
    11: {
      ...nobodys(),
      index: '11',
      at: timeText(T + 70),
      route: '/contacts',
      operation: 'write',
      outcome: 'allowed',
      status: 201,
      scopes: ['contacts.write'],
    },
  });
  const expected = (wanted: readonly number[]) => wanted.map((index) => rows()[index as 3]);

  it.each([
    ['everything, newest first', () => '', [11, 8, 4, 5, 3]],
    ['a user', () => `?user_iss=${IDP}&user_sub=alice&user_tenant=acme`, [4, 3]],
    ['a user under the RAS’s own name', () => `?user_iss=${CRM_AS}&user_sub=crm-alice`, [4, 3]],
    ['a user by id', () => `?user=${id(1, IDP, 'acme', 'bob')}`, [8, 5]],
    ['a client at the RAS', () => `?client_iss=${WIKI_AS}&client_id=assistant-at-wiki`, [8, 5]],
    ['the IdP’s client, at all RASs', () => `?client_iss=${IDP}&client_id=assistant`, [8, 4, 5, 3]],
    ['an agent', () => `?agent_iss=${IDP}&agent_id=agent-7`, [8, 4, 5, 3]],
    ['a resource, the unattributed among it', () => `?resource=${CRM}`, [11, 4, 3]],
    ['a resource and an agent type', () => `?resource=${CRM}&agent_type=support`, [4, 3]],
    ['an agent type that only the IdP stated', () => `?resource=${WIKI}&agent_type=support`, [8, 5]],
    ['an agent type nobody has', () => `?resource=${CRM}&agent_type=other`, []],
    ['a token', () => `?token=${jwt('t1')}`, [4, 3]],
    ['a token and an outcome', () => `?token=${jwt('t1')}&outcome=denied`, [4]],
    ['a resource and an operation', () => `?resource=${CRM}&operation=write`, [11]],
    ['an agent and a resource', () => `?agent_iss=${IDP}&agent_id=agent-7&resource=${WIKI}`, [8, 5]],
    ['a client that did nothing', () => `?client_iss=${CRM_AS}&client_id=mailer-at-crm`, []],
    ['time', () => `?from=${T + 35}&to=${T + 60}`, [4, 5]],
    ['a user and time', () => `?user=${id(1, IDP, 'acme', 'bob')}&to=${T + 60}`, [5]],
  ])('answers %s', async (_, query, wanted) => {
    const { status, body } = await api.get(`/v1/access${query()}`);
    expect(status).toBe(200);
    expect(body).toEqual({ as_of: AS_OF, items: expected(wanted) });
  });

  it('covers the last 30 days unless `from` says otherwise', async () => {
    await api.pool.query('UPDATE access SET at = at - $2 WHERE tenant = $1 AND ix = 3', [ACME, NOW - T]);
    try {
      expect((await api.get('/v1/access')).body.items).toHaveLength(5);
      await api.pool.query('UPDATE access SET at = $2 WHERE tenant = $1 AND ix = 3', [ACME, NOW - 30 * 86_400 - 1]);
      expect((await api.get('/v1/access')).body.items).toHaveLength(4);
      expect((await api.get(`/v1/access?from=${NOW - 30 * 86_400 - 1}`)).body.items).toHaveLength(5);
    } finally {
      await api.pool.query('UPDATE access SET at = $2 WHERE tenant = $1 AND ix = 3', [ACME, T + 30]);
    }
  });

  it.each(['', `&client_iss=${IDP}&client_id=assistant`])('pages without repeating or skipping%s', async (filter) => {
    const whole = (await api.get(`/v1/access?limit=100${filter}`)).body.items;
    const items: unknown[] = [];
    let next: string | undefined = '';
    while (next !== undefined) {
      const page: any = (await api.get(`/v1/access?limit=1${filter}${next && `&cursor=${next}`}`)).body;
      expect(page.items).toHaveLength(1);
      items.push(...page.items);
      next = page.next;
    }
    expect(items).toEqual(whole);
  });
});

describe('GET /v1/tokens', () => {
  it('answers with facts, lineage, use and the rules that stop it, by every name of the token', async () => {
    const byId = await api.get(`/v1/tokens/${jwt('t4')}`);
    const { lineage, ...rest } = byId.body;
    expect(rest).toEqual({
      as_of: AS_OF,
      id: jwt('t4'),
      exchanged: { items: [] },
      index: '14',
      findings: { count: 0, severity: null, items: [] },
      source: source('crm'),
      facts: expect.objectContaining({
        iss: CRM_AS,
        jti: 't4',
        sub: 'crm-alice',
        scope: 'contacts.read',
        parent: { iss: CRM_AS, jti: 't1' },
      }),
      conflict: null,
      user: user('alice'),
      client: client(CRM_AS, 'assistant-at-crm'),
      agent: null,
      stopped_by: [{ rule: RULE }],
      // Nothing judges tokens here: introspection does that.
      would_be_active: null,
      because: [],
      accesses: { count: 0, allowed: 0, denied: 0, first: null, last: null },
    });
    const j1 = tokenId(ruleKey(keyOf(ACME), 'id_jag', [IDP, 'j1']));
    const unseen = tokenId(ruleKey(keyOf(ACME), 'id_jag', [IDP, 'j-unseen']));
    const came = { conflict: false, facts: expect.any(Object) };
    expect(lineage.tokens).toEqual([{ ...came, id: jwt('t1'), index: '2', source: source('crm') }]);
    expect(lineage.id_jags).toEqual([{ ...came, id: j1, index: '1', source: source('idp') }]);
    expect([lineage.tokens[0].facts.jti, lineage.id_jags[0].facts.sub]).toEqual(['t1', 'alice']);
    expect([lineage.missing, lineage.broken]).toEqual([[{ kind: 'id_jag', id: unseen }], false]);
    expect((await api.get(`/v1/tokens?iss=${CRM_AS}&jti=t4`)).body).toEqual(byId.body);
  });

  it('finds an opaque token by its digest, without a rule on it', async () => {
    const { body } = await api.get(`/v1/tokens?sha256=${sha256(T2_TEXT)}`);
    expect([body.id, body.user, body.stopped_by]).toEqual([opaque(), user('bob'), []]);
    expect(body.accesses).toEqual({
      count: 41,
      allowed: 41,
      denied: 0,
      first: timeText(T + 35),
      last: timeText(T + 119),
    });
    expect(JSON.stringify(body)).not.toContain(T2_TEXT);
  });
});

describe('GET /v1/entries/{index}', () => {
  it('answers with the data that the leaf hash is computed from (wire.md, "Entry")', async () => {
    const { body } = await api.get('/v1/entries/3');
    expect([body.index, body.state, body.type, body.source]).toEqual([
      '3',
      'sequenced',
      'dev.rescind.access.allowed.v1',
      source('crm'),
    ]);
    const [salt, attributes, bytes] = [body.payload.salt, body.payload.attributes, body.payload.bytes].map(
      (part: string) => Buffer.from(part, 'base64'),
    );
    const length = Buffer.alloc(4);
    length.writeUInt32BE(attributes!.length);
    const committed = Buffer.concat([Buffer.from('rescind-payload/v1\0'), salt!, length, attributes!, bytes!]);
    const c = createHash('sha256').update(committed).digest('base64');
    expect(body.commitment).toBe(c);
    const entry = `rescind-entry/v1\n3\n${arrivals[3]}\n${body.type}\n${SOURCES.crm.id}\n${c}\n`;
    expect(body.leaf_hash).toBe(createHash('sha256').update('\0').update(entry).digest('base64'));
    expect(JSON.parse(bytes!.toString('utf8'))).toMatchObject({
      source: 'https://crm.example',
      data: { path: '/contacts/9' },
    });
  });

  it('shows an erased payload as null', async () => {
    await api.pool.query('DELETE FROM payload WHERE tenant = $1 AND ix = 13', [ACME]);
    const { status, body } = await api.get('/v1/entries/13');
    expect([status, body.payload, body.index]).toEqual([200, null, '13']);
  });
});

describe('GET /v1/quarantine', () => {
  it('lists the tenant’s own records, newest first', async () => {
    const insert = `INSERT INTO quarantine
        (tenant, source, at, code, detail, door, caller, cluster, topic, partition, record_offset, size, headers, bytes, mode, whole, record_headers, digest)
      VALUES ($1, $2, to_timestamp(${T}), $3, $4, $5, $6, $7, $8, $9, $10, $11, '', $12, 'binary', true, '[]', '')`;
    const [kafka, http] = [
      ['kafka', null, 'c1', 'rescind.events.crm', 2, '17'],
      ['http', 'acme-emit', null, null, null, null],
    ] as const;
    await api.pool.query(insert, [
      ACME,
      SOURCES.crm.id,
      'malformed-json',
      'at byte 3',
      ...kafka,
      4,
      Buffer.from('{"a}'),
    ]);
    await api.pool.query(insert, [
      ACME,
      SOURCES.crm.id,
      'invalid-data',
      'data/token',
      ...http,
      9,
      Buffer.from([0xff, 0x41]),
    ]);
    await api.pool.query(insert, [null, null, 'unknown-source', 'nobody', ...http, 1, Buffer.from('x')]);
    const first = await api.get('/v1/quarantine?limit=1');
    const [newest] = first.body.items;
    expect(newest).toEqual({
      id: expect.any(String),
      at: instantText(T * 1000),
      code: 'invalid-data',
      detail: 'data/token',
      source: source('crm'),
      door: 'http',
      caller: 'acme-emit',
      position: null,
      mode: 'binary',
      size: 9,
      headers: '',
      text: '\ufffdA',
      whole: true,
      replayed_at: null,
    });
    const second = await api.get(`/v1/quarantine?limit=1&cursor=${first.body.next}`);
    expect(second.body.next).toBeUndefined();
    const position = { cluster: 'c1', topic: 'rescind.events.crm', partition: 2, offset: '17' };
    expect(second.body.items).toMatchObject([{ code: 'malformed-json', position, text: '{"a}' }]);
    expect((await api.get(`/v1/quarantine?code=malformed-json&source=${SOURCES.crm.id}`)).body.items).toHaveLength(1);
    expect((await api.get('/v1/quarantine', 'globex-audit')).body.items).toEqual([]);
  });
});
