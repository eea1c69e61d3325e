import { timeText } from '../../../src/contracts/index.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ruleKey } from '../../../src/rules/index.js';
import { createCountsQuestion } from '../../../src/query/access/counts.pg.js';
import { createReader } from '../../../src/query/ask/reader.js';
import { createAsk } from '../../../src/projections/index.js';
import { ACME, keyOf, NOW, say, sha256, startQueryApi, T, tokenId } from './history.js';
import { AGENT, CRM, CRM_AS, IDP, STORY, T2_TEXT, WIKI } from './story.js';

const HOUR = T - (T % 3_600);
const DAY = T - (T % 86_400);
const ALICE = `user_iss=${IDP}&user_tenant=acme&user_sub=alice`;
const BOB = `user_iss=${IDP}&user_tenant=acme&user_sub=bob`;
const NONE = {
  accesses: 0,
  allowed: 0,
  denied: 0,
  records: 0,
  bytes: 0,
  operations: { read: 0, write: 0, delete: 0, export: 0, admin: 0 },
};
const reads = (accesses: number, rest: object = {}) => ({
  ...NONE,
  accesses,
  allowed: accesses,
  operations: { ...NONE.operations, read: accesses },
  ...rest,
});
const AT_CRM = { ...reads(1), accesses: 2, denied: 1, records: 1, bytes: 512 };
const OPAQUE = tokenId(ruleKey(keyOf(ACME), 'token', [sha256(T2_TEXT)]));
const NOBODY_KNOWS = tokenId(ruleKey(keyOf(ACME), 'token', [CRM_AS, 'nobody-knows']));

describe('uses of the story', () => {
  let api: Awaited<ReturnType<typeof startQueryApi>>;
  beforeAll(async () => {
    api = await startQueryApi(STORY);
  });
  afterAll(() => api.stop());

  describe('GET /v1/access', () => {
    it.each([
      [`resource=${CRM}&route=/contacts/{id}`, ['4', '3']],
      [`resource=${CRM}&route=/contacts`, ['11']],
      [`resource=${CRM}&scope=contacts.read`, ['3']],
      [`resource=${CRM}&operation=read`, ['3']],
      [`resource=${CRM}&operation=delete`, ['4']],
      [`resource=${CRM}&operation=export`, []],
      [`resource=${WIKI}&operation=delete`, []],
      [`${BOB}&scope=pages.read`, ['8', '5']],
      // These have no index.
      ['operation=read', ['8', '5', '3']],
      ['outcome=denied', ['4']],
      ['route=/contacts', ['11']],
      ['scope=contacts.read', ['3']],
      ['client_address=203.0.113.7', ['3']],
      ['agent_type=support', ['8', '4', '5', '3']],
      ['agent_type=support&outcome=denied', ['4']],
      ['agent_type=other', []],
      ['operation=delete&outcome=allowed', []],
      [`operation=read&as_of=6&from=@${T}`, ['5', '3']],
      [`${ALICE}&client_address=203.0.113.7`, ['3']],
      [`${BOB}&client_address=203.0.113.7`, []],
      [
        `${ALICE}&client_address=203.0.113.7&route=/contacts/{id}&scope=contacts.read&operation=read&outcome=allowed&agent_type=support`,
        ['3'],
      ],
    ])('filters by %s', async (query, indexes) => {
      const { status, body } = await api.get(`/v1/access?${query}`);
      expect([status, body.items.map(({ index }: any) => index)]).toEqual([200, indexes]);
    });

    it('pages through accesses without an index, as of the first page', async () => {
      const first = (await api.get('/v1/access?operation=read&limit=2')).body;
      const second = (await api.get(`/v1/access?operation=read&limit=2&cursor=${first.next}`)).body;
      expect([first, second].map(({ items }: any) => items.map(({ index }: any) => index))).toEqual([
        ['8', '5'],
        ['3'],
      ]);
      expect([second.next, second.as_of]).toEqual([undefined, first.as_of]);
      const [changed, other] = [`${first.next.slice(0, -1)}x`, (await api.get('/v1/access?limit=2')).body.next];
      for (const cursor of [changed, other])
        expect((await api.get(`/v1/access?operation=read&limit=2&cursor=${cursor}`)).body.code).toBe('invalid-cursor');
    });

    it('follows the ledger behind an index', async () => {
      const behind = async (query: string) => {
        const { status, body } = await api.get(`/v1/access?${query}`);
        return [status, body.code ?? body.items.map(({ index }: any) => index)];
      };
      expect(await behind('after_index=0')).toEqual([200, ['3', '4', '5', '8', '11']]);
      expect(await behind('after_index=4&limit=2')).toEqual([200, ['5', '8']]);
      expect(await behind('after_index=8')).toEqual([200, ['11']]);
      expect(await behind('after_index=11')).toEqual([200, []]);
      expect(await behind('after_index=0&as_of=5')).toEqual([200, ['3', '4']]);
      expect(await behind('after_index=0&operation=read')).toEqual([200, ['3', '5', '8']]);
      expect(await behind(`after_index=0&${ALICE}`)).toEqual([200, ['3', '4']]);
      expect(await behind('after_index=0&from=7d')).toEqual([400, 'inconsistent-request']);
      for (const index of ['-2', '-0', '-1.0', 'x'])
        expect(await behind(`after_index=${index}`)).toEqual([400, 'invalid-request']);
      const shown = (await api.get('/v1/access?after_index=4&limit=1')).body.items;
      expect(shown).toEqual((await api.get(`/v1/access?${BOB}&operation=read`)).body.items.slice(1));
    });

    it('has up to a thousand accesses a page', async () => {
      expect((await api.get('/v1/access?limit=1000')).status).toBe(200);
      expect((await api.get('/v1/access?limit=1001')).body.code).toBe('invalid-request');
    });

    it('links to the entry with the raw event and to the token with its lineage', async () => {
      const [item] = (await api.get(`/v1/access?${ALICE}&operation=read`)).body.items;
      const entry = (await api.get(`/v1/entries/${item.index}`)).body;
      expect(JSON.parse(Buffer.from(entry.payload.bytes, 'base64').toString()).data).toMatchObject({
        path: '/contacts/9',
      });
      const token = (await api.get(`/v1/tokens/${item.token}`)).body;
      expect([token.user.sub, token.lineage.id_jags.map(({ facts }: any) => facts.jti)]).toEqual(['alice', ['j1']]);
    });
  });

  describe('GET /v1/access/counts', () => {
    // A question without `from` covers thirty whole days up to NOW.
    const FROM = Math.floor((NOW - 30 * 86_400) / 86_400) * 86_400;

    it('counts attributed uses by day, a summary by its number of calls', async () => {
      const all = { ...reads(42), accesses: 43, denied: 1, records: 8, bytes: 512 };
      expect((await api.get('/v1/access/counts')).body).toEqual({
        as_of: { index: '15', at: timeText(NOW) },
        by: 'day',
        from: timeText(FROM),
        to: null,
        total: all,
        items: [{ at: timeText(DAY), ...all }],
      });
    });

    it.each([
      ['by=hour', { ...reads(42), accesses: 43, denied: 1, records: 8, bytes: 512 }],
      [`by=hour&resource=${CRM}`, AT_CRM],
      [`by=hour&resource=${WIKI}`, reads(41, { records: 7 })],
      [
        `by=hour&client_iss=${IDP}&client_id=assistant`,
        { ...reads(42), accesses: 43, denied: 1, records: 8, bytes: 512 },
      ],
      [`by=hour&client_iss=${CRM_AS}&client_id=assistant-at-crm`, AT_CRM],
      [`by=hour&client_iss=${IDP}&client_id=assistant&resource=${CRM}`, AT_CRM],
      [`by=hour&${ALICE}`, AT_CRM],
      [`by=hour&${BOB}`, reads(41, { records: 7 })],
      [`by=hour&agent_iss=${IDP}&agent_id=${AGENT.id}&outcome=denied`, { ...NONE, accesses: 1, denied: 1 }],
      [`by=hour&resource=${CRM}&operation=read`, reads(1, { records: 1, bytes: 512 })],
      [`by=hour&resource=${CRM}&operation=delete`, { ...NONE, accesses: 1, denied: 1 }],
      [`by=hour&resource=${CRM}&route=/contacts/{id}`, AT_CRM],
      [`by=hour&resource=${CRM}&client_address=203.0.113.7`, reads(1, { records: 1, bytes: 512 })],
      [`by=hour&${BOB}&scope=pages.read&agent_type=support`, reads(41, { records: 7 })],
      // These have no index.
      ['by=hour&operation=read', reads(42, { records: 8, bytes: 512 })],
      ['by=hour&outcome=denied', { ...NONE, accesses: 1, denied: 1 }],
      ['by=hour&route=/contacts/{id}', AT_CRM],
      ['by=hour&scope=pages.read', reads(41, { records: 7 })],
      ['by=hour&client_address=203.0.113.7', reads(1, { records: 1, bytes: 512 })],
      ['by=hour&agent_type=support', { ...reads(42), accesses: 43, denied: 1, records: 8, bytes: 512 }],
      ['by=hour&agent_type=support&outcome=denied', { ...NONE, accesses: 1, denied: 1 }],
      [`by=hour&token=${OPAQUE}`, reads(41, { records: 7 })],
      // Nobody has said whose it is; asked for by its id, its use counts.
      [
        `by=hour&token=${NOBODY_KNOWS}`,
        { ...NONE, accesses: 1, allowed: 1, operations: { ...NONE.operations, write: 1 } },
      ],
      [`by=hour&from=${HOUR}&to=${HOUR + 3_600}&resource=${CRM}`, AT_CRM],
    ])('counts %s', async (query, sums) => {
      const { status, body } = await api.get(`/v1/access/counts?${query}`);
      expect([status, body.total, body.items]).toEqual([200, sums, [{ at: timeText(HOUR), ...sums }]]);
    });

    it.each([
      [`from=${HOUR + 3_600}`],
      [`to=${HOUR}`],
      [`by=hour&from=${HOUR - 3_600}&to=${HOUR}&${ALICE}`],
      [`client_iss=${CRM_AS}&client_id=mailer-at-crm`],
      // The one write is of a token that nobody has said anything of, though its source says which resource it is.
      [`resource=${CRM}&operation=write`],
      [`resource=${CRM}&route=/contacts`],
    ])('finds nothing in %s', async (query) => {
      const { status, body } = await api.get(`/v1/access/counts?${query}`);
      expect([status, body.total, body.items]).toEqual([200, NONE, []]);
    });

    it.each([
      // 5 is there, and becomes attributed with 7.
      [6, 2, 2, 0],
      [7, 2, 2, 0],
      [8, 3, 2, 1],
      [9, 43, 2, 41],
      [15, 43, 2, 41],
    ])('as of %i counts %i uses, %i of the CRM’s, %i of the wiki’s', async (asOf, all, crm, wiki) => {
      const window = `by=hour&from=${HOUR}&to=${HOUR + 3_600}&as_of=${asOf}`;
      const ask = async (query: string): Promise<number> =>
        (await api.get(`/v1/access/counts?${window}${query}`)).body.total.accesses;
      expect([
        await ask(''),
        await ask(`&resource=${CRM}`),
        await ask(`&resource=${CRM}&route=/contacts/{id}`),
      ]).toEqual([all, crm, crm]);
      expect([await ask(`&resource=${WIKI}`), await ask(`&resource=${WIKI}&operation=read`)]).toEqual([wiki, wiki]);
    });

    it.each([
      ['by=week', 'invalid-request'],
      ['by=hour&by=day', 'invalid-request'],
      ['cursor=abc', 'invalid-request'],
      ['limit=10', 'invalid-request'],
      [`from=${HOUR + 1}`, 'inconsistent-request'],
      [`to=${HOUR + 1_800}`, 'inconsistent-request'],
      [`from=${HOUR}&to=${HOUR}`, 'inconsistent-request'],
      [`from=${HOUR}&to=${HOUR - 3_600}`, 'inconsistent-request'],
      ['user=1&user_iss=a', 'inconsistent-request'],
      ['operation=erase', 'invalid-request'],
      ['as_of=16', 'as-of-out-of-range'],
      ['as_of=yesterday', 'invalid-request'],
      [`from=${HOUR - 10 * 365 * 86_400}`, 'filter-too-wide'],
      [`by=hour&from=${HOUR - 60 * 86_400}`, 'filter-too-wide'],
    ])('refuses %s', async (query, code) => {
      const { status, body } = await api.get(`/v1/access/counts?${query}`);
      expect([status, body.code]).toEqual([400, code]);
    });
  });

  describe.each(['/v1/access', '/v1/access/counts'])('%s', (path) => {
    it.each([
      'route=/nowhere',
      'scope=never',
      'client_address=198.51.100.1',
      'client_iss=a&client_id=b',
      'route=contacts.read',
      'user=999999',
    ])('answers not-found for %s, which was never seen, instead of zero', async (query) => {
      const { status, body } = await api.get(`${path}?${query}&resource=${CRM}`);
      expect([status, body.code]).toEqual([404, 'not-found']);
    });

    it('answers not-found for a route as of an index before its first use', async () => {
      const ask = async (asOf: number) =>
        (await api.get(`${path}?resource=${CRM}&route=/contacts/{id}&as_of=${asOf}`)).status;
      expect([await ask(3), await ask(4)]).toEqual([404, 200]);
    });

    it.each([
      ['as_of=0', 'as-of-out-of-range'],
      ['as_of=16', 'as-of-out-of-range'],
      ['as_of=9223372036854775807', 'as-of-out-of-range'],
      ['as_of=9223372036854775808', 'as-of-out-of-range'],
      ['as_of=2026-09-01T00:00:00Z', 'as-of-out-of-range'],
      [`as_of=${new Date((NOW + 2) * 1_000).toISOString()}`, 'as-of-out-of-range'],
      ['as_of=2026-09-22', 'as-of-out-of-range'],
      ['as_of=2026-09-32', 'invalid-request'],
      ['as_of=-1', 'invalid-request'],
      ['as_of=1&as_of=2', 'invalid-request'],
    ])('refuses %s', async (query, code) => {
      const { status, body } = await api.get(`${path}?${query}`);
      expect([status, body.code]).toEqual([400, code]);
    });
  });
});

describe('a ledger that begins with an access', () => {
  let api: Awaited<ReturnType<typeof startQueryApi>>;
  const used = (nth: number) =>
    say('crm', 'access.allowed', T + nth, { token: { iss: CRM_AS, jti: `t${nth}` }, operation: 'read', status: 200 });
  beforeAll(async () => {
    api = await startQueryApi([[used(0), used(1)], [used(2)]]);
  });
  afterAll(() => api.stop());

  it('is read from its very beginning by a reader that polls', async () => {
    const indexes: string[] = [];
    for (let after = '-1', page: any[]; ; after = page.at(-1).index) {
      page = (await api.get(`/v1/access?limit=1&after_index=${after}`)).body.items;
      if (page.length === 0) break;
      indexes.push(...page.map(({ index }) => index));
    }
    expect(indexes).toEqual(['0', '1', '2']);
    expect((await api.get('/v1/access?after_index=0')).body.items.map(({ index }: any) => index)).toEqual(['1', '2']);
  });
});

describe('an agent whose tokens state another type later', () => {
  let api: Awaited<ReturnType<typeof startQueryApi>>;
  const issue = (jti: string, type: string) =>
    say('crm', 'token.issued', T, {
      kind: 'access',
      iss: CRM_AS,
      jti,
      client_id: 'assistant-at-crm',
      aud: [CRM],
      iat: T,
      exp: T + 600,
      id_jag: { iss: IDP, jti: `of-${jti}`, sub: 'alice', tenant: 'acme', agent: { ...AGENT, type } },
    });
  const use = (jti: string) =>
    say('crm', 'access.allowed', T + 10, { token: { iss: CRM_AS, jti }, operation: 'read', status: 200 });
  beforeAll(async () => {
    api = await startQueryApi([[issue('x', 'old')], [use('x')], [issue('y', 'new')], [use('y')]]);
  });
  afterAll(() => api.stop());

  it.each([
    ['new', ['3', '1']],
    ['old', []],
    [`old&as_of=2&from=${HOUR}`, ['1']],
    [`new&as_of=2&from=${HOUR}`, []],
  ])('has all its accesses under the newest type: %s', async (type, indexes) => {
    for (const beside of ['', `&resource=${CRM}`, `&agent_iss=${IDP}&agent_id=${AGENT.id}`]) {
      const list = await api.get(`/v1/access?agent_type=${type}${beside}`);
      const counts = await api.get(`/v1/access/counts?agent_type=${type}${beside}`);
      expect([beside, list.body.items?.map(({ index }: any) => index), counts.body.total?.accesses]).toEqual([
        beside,
        indexes,
        indexes.length,
      ]);
    }
  });
});

describe('a use whose user becomes known later', () => {
  let api: Awaited<ReturnType<typeof startQueryApi>>;
  const ARRIVED = T + 50_000;
  const subject = { iss: IDP, jti: 'jx', sub: 'alice', tenant: 'acme' };
  beforeAll(async () => {
    api = await startQueryApi([
      [
        /* 0: all names are known, and nothing of the use */ say('idp', 'connection.created', T, {
          iss: IDP,
          tenant: 'acme',
          idp_client_id: 'assistant',
          aud: [CRM_AS],
          client_id: 'assistant-at-crm',
          resource: [CRM],
          scope: 'a',
          agent: AGENT,
        }),
      ],
      [
        /* 1, by a source of no resource */ say('idp', 'access.allowed', T + 10, {
          token: { iss: CRM_AS, jti: 'x' },
          operation: 'read',
          status: 200,
        }),
      ],
      [
        /* 2, whose it is and where */ say('crm', 'token.issued', T, {
          kind: 'access',
          iss: CRM_AS,
          jti: 'x',
          client_id: 'assistant-at-crm',
          aud: [CRM],
          iat: T,
          exp: T + 600,
          id_jag: subject,
        }),
      ],
      [
        /* 3, by which agent */ say('idp', 'id-jag.issued', T, {
          ...subject,
          client_id: 'assistant-at-crm',
          idp_client_id: 'assistant',
          aud: [CRM_AS],
          resource: [CRM],
          iat: T,
          exp: T + 300,
          agent: AGENT,
        }),
      ],
    ]);
    await api.pool.query('UPDATE entry SET arrival = ($2 + ix * 10) * 1000 WHERE tenant = $1', [ACME, ARRIVED]);
  });
  afterAll(() => api.stop());

  const moments = [
    ['2', { attributed: false, user: null, resource: null, agent: null }, { resource: 0, agent: 0, client: 0 }],
    [
      '3',
      { attributed: true, user: { sub: 'alice' }, resource: { uri: CRM }, agent: null },
      { resource: 1, agent: 0, client: 0 },
    ],
    [
      '4',
      { attributed: true, user: { sub: 'alice' }, resource: { uri: CRM }, agent: { id: AGENT.id } },
      { resource: 1, agent: 1, client: 1 },
    ],
  ] as const;

  it.each(moments)('appears as of index %s as it was then', async (index, item, found) => {
    const time = new Date((ARRIVED + Number(index) * 10 - 1) * 1_000).toISOString();
    for (const asOf of [index, time]) {
      const { body } = await api.get(`/v1/access?as_of=${asOf}`);
      expect(body.as_of.index).toBe(index);
      expect(body.items).toMatchObject([{ index: '1', ...item }]);
      const filters = {
        resource: `resource=${CRM}`,
        agent: `agent_iss=${IDP}&agent_id=${AGENT.id}`,
        client: `client_iss=${IDP}&client_id=assistant`,
      };
      for (const [name, filter] of Object.entries(filters)) {
        const [list, counts] = [
          await api.get(`/v1/access?${filter}&as_of=${asOf}`),
          await api.get(`/v1/access/counts?${filter}&as_of=${asOf}`),
        ];
        const wanted = found[name as keyof typeof found];
        expect([list.body.items.length, counts.body.total.accesses]).toEqual([wanted, wanted]);
      }
    }
  });

  it('appears as it is now from the last index on, until the next entry', async () => {
    const [past, present] = [await api.get('/v1/access?as_of=4'), await api.get('/v1/access')];
    expect([past.body.items, past.body.as_of.at, present.body.as_of.at]).toEqual([
      present.body.items,
      timeText(ARRIVED + 30),
      timeText(NOW),
    ]);
  });

  it('is counted with “at least”, and the time since when the count is complete, if too much would have to be read', async () => {
    await api.pool.query(
      `INSERT INTO access (tenant, ix, bound_ix, at, until_at, usr, client, res, op, outcome, source, tok, n)
       SELECT a.tenant, 4 + k, 4 + k, a.at + k / 6, a.at + k / 6, a.usr, a.client, a.res, a.op, a.outcome, a.source, a.tok, 1
       FROM access a, generate_series(0, 24009) AS k WHERE a.tenant = $1 AND a.ix = 1`,
      [ACME],
    );
    await api.pool.query('UPDATE ledger_head SET next_ix = 60000 WHERE tenant = $1', [ACME]);
    const filters = { by: 'hour', resource: CRM, operation: 'read' };
    const { body } = await api.get(`/v1/access/counts?${new URLSearchParams(filters).toString()}`);
    expect([body.total.accesses, JSON.stringify(body).includes('at_least'), body.counted_from]).toEqual([
      24_011,
      false,
      undefined,
    ]);

    const fewer = createCountsQuestion({
      ask: createAsk({ pool: api.pool, now: () => NOW }),
      reader: createReader(api.control),
      maxWalked: 10_000,
    });
    const { total, items, counted_from: from } = await fewer(ACME, filters);
    // Six a second from T + 10 on, the last with k = 24,009: the 10,001st from the end, with k = 14,009, is not counted.
    expect([total.accesses, total.at_least, from]).toEqual([10_000, true, timeText(T + 10 + Math.floor(14_009 / 6))]);
    expect(items.map(({ at, at_least: cut }) => [at <= from!, cut])).toEqual(
      items.map((_, nth) => (nth === 0 ? [true, true] : [false, undefined])),
    );
    const within = await fewer(ACME, { ...filters, from: String(HOUR + 3_600) });
    expect([within.total.accesses, within.total.at_least]).toEqual([24_010 - (HOUR + 3_600 - T - 10) * 6, undefined]);
  });
});
