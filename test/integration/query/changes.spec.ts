import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dereference } from '../../support/dereference.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { canonicalJson, eventType, timeText } from '../../../src/contracts/index.js';
import { contentOf } from '../../../src/ingest/index.js';
import { appendEntries, prepareEntry } from '../../../src/log/index.js';
import { inTransaction } from '../../../src/platform/postgres/index.js';
import { createAsk, type OwnProjectedEvent, writeProjections } from '../../../src/projections/index.js';
import { ruleKey } from '../../../src/rules/index.js';
import { ACME, keyOf, NOW, say, startQueryApi, T, tokenId } from './history.js';
import { AGENT, CRM, CRM_AS, IDP, STORY, WIKI, WIKI_AS } from './story.js';

let api: Awaited<ReturnType<typeof startQueryApi>>;
let ids: ReadonlyMap<string, number>;

/** Arrival of each entry: ten seconds after the one before it. */
const arrivalOf = (index: number): number => T + 10 * index;

const own = (name: 'revocation.ordered' | 'revocation.lifted', at: number, data: object) =>
  inTransaction(api.pool, async (client) => {
    const tenantKey = keyOf(ACME);
    const bytes = Buffer.from(canonicalJson({ name, data }));
    const source = '00000000-0000-4000-8000-000000000000';
    const entry = prepareEntry({
      tenant: ACME,
      tenantKey,
      type: eventType(name),
      source,
      eventId: `${name} ${at}`,
      mode: 'own',
      headers: [],
      bytes,
    });
    const [placed] = await appendEntries(client, [entry], contentOf);
    await writeProjections(
      client,
      [],
      [
        {
          name,
          data,
          tenant: ACME,
          tenantKey,
          ix: placed!.index,
          arrivalMs: placed!.arrivalMs!,
          atMs: at * 1_000,
        } as OwnProjectedEvent,
      ],
    );
  });

const connection = {
  iss: IDP,
  tenant: 'acme',
  idp_client_id: 'mailer',
  aud: [CRM_AS],
  client_id: 'mailer-at-crm',
  resource: [CRM],
};
const ordered = {
  seq: '1',
  effect: 'block',
  reauthenticate: false,
  reason: 'compromised',
  author: { caller: 'acme-revoke' },
};

beforeAll(async () => {
  api = await startQueryApi(STORY);
  await api.say([
    /* 15: there again, with more */ say('idp', 'connection.created', T + 300, {
      ...connection,
      scope: 'contacts.read contacts.write',
    }),
    /* 16: Alice is granted more, which Bob already has */ say('idp', 'id-jag.issued', T + 310, {
      iss: IDP,
      jti: 'j16',
      sub: 'alice',
      tenant: 'acme',
      client_id: 'mailer-at-crm',
      idp_client_id: 'mailer',
      aud: [CRM_AS],
      resource: [CRM],
      scope: 'contacts.read',
      iat: T + 310,
      exp: T + 610,
    }),
    /* 17 */ say('crm', 'token.issued', T + 320, {
      kind: 'access',
      iss: CRM_AS,
      jti: 't17',
      client_id: 'mailer-at-crm',
      aud: [CRM],
      scope: 'contacts.read contacts.write',
      iat: T + 320,
      exp: T + 920,
      id_jag: { iss: IDP, jti: 'j16', sub: 'alice', tenant: 'acme' },
    }),
  ]);
  /* 18 */ await own('revocation.ordered', T + 330, {
    ...ordered,
    rule: 'r-mailer',
    selector: { client: { iss: IDP, client_id: 'mailer' } },
  });
  await api.say([
    /* 19: in spite of it */ say('crm', 'access.allowed', T + 331, {
      token: { iss: CRM_AS, jti: 't17' },
      operation: 'read',
      scope: 'contacts.read',
      status: 200,
    }),
    /* 20 */ say('crm', 'access.denied', T + 332, {
      token: { iss: CRM_AS, jti: 't17' },
      operation: 'read',
      status: 403,
    }),
  ]);
  /* 21 */ await own('revocation.lifted', T + 340, {
    rule: 'r-mailer',
    seq: '2',
    at: T + 340,
    resume: true,
    author: { caller: 'acme-revoke' },
  });
  await api.say([
    /* 22 */ say('crm', 'access.allowed', T + 400, {
      token: { iss: CRM_AS, jti: 't17' },
      operation: 'write',
      scope: 'contacts.write',
      status: 200,
    }),
    /* 23: a client and a resource that no connection names, and an agent nobody has heard of */ say(
      'wiki',
      'token.issued',
      T + 410,
      {
        kind: 'access',
        iss: WIKI_AS,
        jti: 't23',
        sub: 'w-1',
        client_id: 'cron',
        aud: [WIKI],
        scope: 'pages.read',
        iat: T + 410,
        exp: T + 1010,
        agent: { id: 'cron-1', type: 'batch' },
      },
    ),
    /* 24 */ say('idp', 'connection.updated', T + 420, { ...connection, scope: 'contacts.write' }),
  ]);
  await api.pool.query('UPDATE entry SET arrival = ($2 + 10 * ix) * 1000 WHERE tenant = $1', [ACME, T]);
  const entities = await api.pool.query<{ id: number; kind: number; parts: unknown }>(
    'SELECT id, kind, parts FROM entity WHERE tenant = $1',
    [ACME],
  );
  ids = new Map(entities.rows.map((row) => [`${row.kind} ${JSON.stringify(row.parts)}`, row.id]));
});
afterAll(() => api.stop());

const id = (kind: number, ...parts: (string | null)[]): number => ids.get(`${kind} ${JSON.stringify(parts)}`)!;
const client = (iss: string, name: string) => ({ entity: id(2, iss, name), iss, client_id: name });
const resource = (uri: string) => ({ entity: id(5, uri), uri });
const user = (sub: string) => ({ entity: id(1, IDP, 'acme', sub), iss: IDP, tenant: 'acme', sub });
const agent = (name: string, iss = IDP) => ({ entity: id(3, iss, name), iss, id: name });
const point = (index: number) => ({ index: String(index), at: timeText(arrivalOf(index)) });
const at = (index: number, last = index) => ({ first: point(index), last: point(last) });
const connectionId = (...parts: (string | null)[]): string => tokenId(ruleKey(keyOf(ACME), 'connection', parts));

const mailer = () => ({ client: client(CRM_AS, 'mailer-at-crm'), resource: resource(CRM) });
const mailerConnection = () => ({
  ...mailer(),
  idp_client: client(IDP, 'mailer'),
  connection: connectionId(IDP, 'acme', 'mailer', CRM_AS, null, 'mailer-at-crm', CRM),
  agent: null,
});
const wikiAssistant = () => ({ client: client(WIKI_AS, 'assistant-at-wiki'), resource: resource(WIKI) });
const cron = () => ({ client: client(WIKI_AS, 'cron'), resource: resource(WIKI) });

const between = async (since: string | number, until: string | number = '', more = ''): Promise<any> =>
  (await api.get(`/v1/changes?since=${since}${until === '' ? '' : `&until=${until}`}${more}`)).body;

describe('GET /v1/changes', () => {
  it('reports a connection, its grant, scopes and agent, and a use attributed late, each with the entry that made it', async () => {
    expect(await between(5, 9)).toEqual({
      as_of: { index: '9', at: timeText(arrivalOf(8)) },
      since: { index: '5', at: timeText(arrivalOf(4)) },
      items: [
        { kind: 'scopes-used', ...at(7), ...wikiAssistant(), scopes: [{ scope: 'pages.read', ...point(7) }] },
        {
          kind: 'connection-appeared',
          ...at(6),
          ...wikiAssistant(),
          idp_client: client(IDP, 'assistant'),
          connection: connectionId(IDP, 'acme', 'assistant', WIKI_AS, null, 'assistant-at-wiki', WIKI),
          before: null,
          after: 'observed',
          scopes_added: ['pages.read', 'pages.write'],
          scopes_removed: [],
          agent: agent(AGENT.id),
        },
        { kind: 'grants-appeared', ...at(6), ...wikiAssistant(), grants: 1 },
        {
          kind: 'scopes-granted',
          ...at(6),
          ...wikiAssistant(),
          scopes: [
            { scope: 'pages.read', ...point(6) },
            { scope: 'pages.write', ...point(6) },
          ],
        },
        {
          kind: 'agents-appeared',
          ...at(6),
          ...wikiAssistant(),
          agents: [{ agent: agent(AGENT.id), ...point(6), new: false }],
        },
        { kind: 'users-appeared', ...at(6), client: client(IDP, 'assistant'), users: 1 },
      ],
    });
  });

  it('reports both the creation and the deletion of a connection, with their moments', async () => {
    const { items } = await between(9, 15);
    expect(items).toEqual([
      {
        kind: 'connection-vanished',
        ...at(12),
        ...mailerConnection(),
        before: 'observed',
        after: 'deleted',
        scopes_added: [],
        scopes_removed: ['contacts.read'],
      },
      {
        kind: 'connection-appeared',
        ...at(9),
        ...mailerConnection(),
        before: null,
        after: 'observed',
        scopes_added: ['contacts.read'],
        scopes_removed: [],
      },
      { kind: 'grants-appeared', ...at(9), ...mailer(), grants: 1 },
      { kind: 'scopes-granted', ...at(9), ...mailer(), scopes: [{ scope: 'contacts.read', ...point(9) }] },
      { kind: 'users-appeared', ...at(9), client: client(IDP, 'mailer'), users: 1 },
    ]);
  });

  it('reports returned connections, grown grants, unrecorded connections, and uses after a rule and after its lift', async () => {
    expect(await between(15)).toEqual({
      as_of: { index: '25', at: timeText(NOW) },
      since: { index: '15', at: timeText(arrivalOf(14)) },
      items: [
        {
          kind: 'connection-changed',
          ...at(24),
          ...mailerConnection(),
          before: 'created',
          after: 'created',
          scopes_added: [],
          scopes_removed: ['contacts.read'],
        },
        { kind: 'unrecorded-appeared', ...at(23), ...cron() },
        { kind: 'grants-appeared', ...at(23), ...cron(), grants: 1 },
        { kind: 'scopes-granted', ...at(23), ...cron(), scopes: [{ scope: 'pages.read', ...point(23) }] },
        {
          kind: 'agents-appeared',
          ...at(23),
          ...cron(),
          agents: [{ agent: agent('cron-1', WIKI_AS), ...point(23), new: true }],
        },
        { kind: 'users-appeared', ...at(23), client: client(WIKI_AS, 'cron'), users: 1 },
        {
          kind: 'scopes-used',
          ...at(19, 22),
          ...mailer(),
          scopes: [
            { scope: 'contacts.read', ...point(19) },
            { scope: 'contacts.write', ...point(22) },
          ],
        },
        usedAfter(22, T + 400, 'lifted'),
        usedAfter(19, T + 331, 'ordered'),
        { kind: 'grants-grew', ...at(17), ...mailer(), grants: 1, scopes_added: ['contacts.write'] },
        { kind: 'scopes-granted', ...at(17), ...mailer(), scopes: [{ scope: 'contacts.write', ...point(17) }] },
        { kind: 'grants-appeared', ...at(16), ...mailer(), grants: 1 },
        { kind: 'users-appeared', ...at(16), client: client(IDP, 'mailer'), users: 1 },
        {
          kind: 'connection-returned',
          ...at(15),
          ...mailerConnection(),
          before: 'deleted',
          after: 'created',
          scopes_added: ['contacts.read', 'contacts.write'],
          scopes_removed: [],
        },
      ],
    });
  });
  const usedAfter = (index: number, time: number, state: string) => ({
    kind: 'used-after-rule',
    ...at(index),
    ...mailer(),
    user: user('alice'),
    agent: null,
    at: timeText(time),
    access: String(index),
    last_at: timeText(time),
    uses: 1,
    tokens: 1,
    rule: 'r-mailer',
    rule_state: state,
    selector: { client: { iss: IDP, client_id: 'mailer' } },
  });

  it('reports that an existing grant grew, and which scopes a connection lost', async () => {
    const { items } = await between(17);
    expect(items.filter(({ kind }: any) => kind.startsWith('grants-') || kind.startsWith('connection-'))).toEqual([
      {
        kind: 'connection-changed',
        ...at(24),
        ...mailerConnection(),
        before: 'created',
        after: 'created',
        scopes_added: [],
        scopes_removed: ['contacts.read'],
      },
      { kind: 'grants-appeared', ...at(23), ...cron(), grants: 1 },
      { kind: 'grants-grew', ...at(17), ...mailer(), grants: 1, scopes_added: ['contacts.write'] },
    ]);
  });

  it('reports twice a scope that came and went, each time with its moment', async () => {
    const told = [
      {
        kind: 'connection-changed',
        ...at(24),
        ...mailerConnection(),
        before: 'created',
        after: 'created',
        scopes_added: [],
        scopes_removed: ['contacts.read'],
      },
      {
        kind: 'connection-returned',
        ...at(15),
        ...mailerConnection(),
        before: 'deleted',
        after: 'created',
        scopes_added: ['contacts.read', 'contacts.write'],
        scopes_removed: [],
      },
    ];
    const ofMailer = (items: any[]) =>
      items.filter(({ kind, idp_client: of }: any) => kind.startsWith('connection-') && of.client_id === 'mailer');
    expect(ofMailer((await between(15)).items)).toEqual(told);
    // The same, and what was before, since a moment at which nothing had come yet.
    expect(ofMailer((await between(0, '', '&limit=100')).items).slice(0, 2)).toEqual(told);
  });

  it.each([
    ['an index before the first entry', '0', T],
    ['a time before the first entry', '2019-01-01T00:00:00Z', Date.UTC(2019) / 1000],
  ])('begins with the first entry since %s', async (_, since, moment) => {
    const whole = await between('9999d', 25, '&limit=100');
    const { items, since: begins } = await between(since, 25, '&limit=100');
    expect([begins, items]).toEqual([{ index: '0', at: timeText(moment) }, whole.items]);
    expect(
      items
        .filter(({ kind }: any) => kind === 'grants-grew')
        .map(({ scopes_added, grants }: any) => [scopes_added, grants]),
    ).toContainEqual([['contacts.write'], 1]);
  });

  it('reports only those uses after a rule that came after the first moment', async () => {
    const rules = async (since: number, until: number) =>
      (await between(since, until, '&kind=used-after-rule')).items.map((item: any) => [item.rule_state, item.access]);
    expect(await rules(18, 19)).toEqual([]);
    expect(await rules(18, 20)).toEqual([['ordered', '19']]);
    expect(await rules(20, 25)).toEqual([['lifted', '22']]);
    expect(await rules(23, 25)).toEqual([]);
    await api.say([
      say('crm', 'access.allowed', T + 450, { token: { iss: CRM_AS, jti: 't17' }, operation: 'write', status: 200 }),
    ]);
    expect(await rules(25, 26)).toEqual([['lifted', '25']]);
    expect(
      (await between(18, 26, '&kind=used-after-rule')).items.map((item: any) => [
        item.access,
        item.at,
        item.last_at,
        item.uses,
      ]),
    ).toEqual([
      ['22', timeText(T + 400), timeText(T + 450), 2],
      ['19', timeText(T + 331), timeText(T + 331), 1],
    ]);
    await api.pool.query('UPDATE entry SET arrival = ($2 + 10 * ix) * 1000 WHERE tenant = $1', [ACME, T]);
  });

  it('reports for a source’s rule only uses of its issuer’s tokens, and for a rule on a token only uses of that token', async () => {
    const member = { client: { iss: IDP, client_id: 'mailer' } };
    const token = { token: { iss: CRM_AS, jti: 't17' } };
    await own('revocation.ordered', T + 500, { ...ordered, rule: 'r-issuer', selector: { ...member, issuer: IDP } });
    await own('revocation.ordered', T + 501, {
      ...ordered,
      rule: 'r-other-issuer',
      selector: { ...member, issuer: WIKI_AS },
    });
    await own('revocation.ordered', T + 502, { ...ordered, rule: 'r-token', selector: token });
    await own('revocation.ordered', T + 503, {
      ...ordered,
      rule: 'r-other-token',
      selector: { token: { iss: CRM_AS, jti: 'another' } },
    });
    const since = Number((await between(1)).as_of.index);
    await api.say([
      say('crm', 'access.allowed', T + 600, { token: { iss: CRM_AS, jti: 't17' }, operation: 'write', status: 200 }),
    ]);
    const { items } = await between(since, since + 1);
    expect(items.map((item: any) => [item.rule, item.access]).sort()).toEqual([
      ['r-issuer', String(since)],
      ['r-mailer', String(since)],
      ['r-token', String(since)],
    ]);
    await api.pool.query('UPDATE entry SET arrival = ($2 + 10 * ix) * 1000 WHERE tenant = $1', [ACME, T]);
  });

  it.each([
    ['an index', () => '9'],
    ['a time', () => new Date(arrivalOf(8) * 1000 + 500).toISOString()],
  ])('begins at %s', async (_, since) => {
    expect((await between(since(), 15)).items).toEqual((await between(9, 15)).items);
  });

  it('begins a duration before its end, or with the first entry if the ledger is younger', async () => {
    const { since, items } = await between('1m', 15);
    // Entry 14 arrived at T + 140: what had arrived at T + 80 are the entries up to 8.
    expect(since).toEqual({ index: '9', at: timeText(T + 80) });
    expect(items).toEqual((await between(9, 15)).items);
    const whole = await between('7d', 15);
    expect([whole.since.index, whole.items.length]).toEqual(['0', 16]);
  });

  it('is documented member by member', async () => {
    const { paths, components } = (await api.get('/openapi.json')).body;
    const { schema } = dereference(
      paths['/v1/changes'].get.responses[200].content['application/json'],
      components.schemas,
    );
    const validate = new Ajv2020({ strict: true, allowUnionTypes: true, formats: { 'date-time': /Z$/ } }).compile(
      schema,
    );
    for (const body of [await between('7d', 25, '&limit=100'), await between(15, 25), await between(17, 25)])
      expect([validate(body), validate.errors]).toEqual([true, null]);
    expect(
      paths['/v1/changes'].get.parameters.filter(({ required }: any) => required).map(({ name }: any) => name),
    ).toEqual(['since']);
  });

  it('is empty between a moment and itself', async () => {
    expect((await between(15, 15)).items).toEqual([]);
  });

  it.each([
    [
      'a client',
      () => `&client_iss=${IDP}&client_id=mailer`,
      ['connection-vanished', 'connection-appeared', 'grants-appeared', 'scopes-granted', 'users-appeared'],
    ],
    ['another client', () => `&client_iss=${WIKI_AS}&client_id=assistant-at-wiki`, []],
    [
      'a resource, of which users are not counted',
      () => `&resource=${CRM}`,
      ['connection-vanished', 'connection-appeared', 'grants-appeared', 'scopes-granted'],
    ],
    ['a kind', () => '&kind=scopes-granted', ['scopes-granted']],
    ['several kinds', () => '&kind=scopes-granted,grants-appeared', ['grants-appeared', 'scopes-granted']],
  ])('filters by %s', async (_, filter, kinds) => {
    expect((await between(9, 15, filter())).items.map(({ kind }: any) => kind)).toEqual(kinds);
  });

  it('has the same two moments on all pages, whatever comes in between', async () => {
    const whole = (await between('7d')).items;
    const items: unknown[] = [];
    let page = await between('7d', '', '&limit=3');
    for (;;) {
      items.push(...page.items);
      if (page.next === undefined) break;
      await api.say([
        say('crm', 'access.allowed', T + 500 + items.length, {
          token: { iss: CRM_AS, jti: 't17' },
          operation: 'read',
          scope: `fresh-${items.length}`,
          status: 200,
        }),
      ]);
      page = await between('7d', '', `&limit=3&cursor=${page.next}`);
    }
    expect(items).toEqual(whole);
  });

  it.each([
    ['', 400, 'invalid-request'],
    ['since=', 400, 'invalid-request'],
    ['since=yesterday', 400, 'invalid-request'],
    ['since=0h', 400, 'invalid-request'],
    ['since=1y', 400, 'invalid-request'],
    ['since=999999d', 400, 'invalid-request'],
    ['since=5&since=6', 400, 'invalid-request'],
    ['since=9&until=8', 400, 'inconsistent-request'],
    ['since=9&until=tomorrow', 400, 'invalid-request'],
    ['since=999', 400, 'as-of-out-of-range'],
    ['since=9&until=999', 400, 'as-of-out-of-range'],
    ['since=2099-01-01T00:00:00Z', 400, 'as-of-out-of-range'],
    ['since=9&kind=other', 400, 'invalid-request'],
    ['since=9&as_of=9', 400, 'invalid-request'],
    ['since=9&limit=101', 400, 'invalid-request'],
    ['since=9&client=999999', 404, 'not-found'],
    ['since=9&cursor=AAAA', 400, 'invalid-cursor'],
  ])('refuses %s', async (query, status, code) => {
    const answer = await api.get(`/v1/changes?${query}`);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('does not reuse the index found for one time for another time', async () => {
    const ask = createAsk({ pool: api.pool, now: () => NOW });
    const [early, late] = [arrivalOf(3) * 1_000, arrivalOf(9) * 1_000];
    const foundBy = (atMs: number) =>
      ask(ACME, async (snapshot) => (await snapshot.asOf({ atMs })).index, undefined, { other: () => late });
    expect([await foundBy(early), await foundBy(late)]).toEqual([4n, 10n]);
  });
});
