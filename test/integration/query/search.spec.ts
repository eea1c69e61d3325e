import { timeText } from '../../../src/contracts/index.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLog } from '../../../src/platform/log/index.js';
import { FOUND } from '../../../src/query/search/answers.js';
import { ruleKey } from '../../../src/rules/index.js';
import { ACME, keyOf, NOW, ROLE_NAMES, RULE, say, sha256, SOURCES, startQueryApi, T, tokenId } from './history.js';
import { CRM, CRM_AS, IDP, STORY, T2_TEXT, WIKI, WIKI_AS } from './story.js';

let api: Awaited<ReturnType<typeof startQueryApi>>;
let ids: ReadonlyMap<string, number>;
const logged: string[] = [];
beforeAll(async () => {
  api = await startQueryApi(STORY, {
    log: createLog({ level: 'trace', destination: { write: (line) => logged.push(line) } }),
  });
  const { rows } = await api.pool.query<{ id: number; kind: number; parts: unknown }>(
    'SELECT id, kind, parts FROM entity WHERE tenant = $1',
    [ACME],
  );
  ids = new Map(rows.map((row) => [`${row.kind} ${JSON.stringify(row.parts)}`, row.id]));
});
afterAll(() => api.stop());

const id = (kind: number, ...parts: (string | null)[]): string => String(ids.get(`${kind} ${JSON.stringify(parts)}`));
const search = async (query: string, caller = 'acme-audit') => (await api.get(`/v1/search?${query}`, caller)).body;
const q = (text: string): string => `q=${encodeURIComponent(text)}`;
/** The results in order: kind, kind of match, name. */
const found = async (query: string, caller?: string) =>
  (await search(query, caller)).items.map((item: any) => `${item.kind} ${item.match} ${item.name}`);
/** Says whether an answer has nothing: an empty list, or an entity without a name. */
const isEmpty = ({ items, names }: any): boolean => (items ?? names)?.length === 0;
const key = (kind: 'token' | 'id_jag', ...parts: string[]): string => tokenId(ruleKey(keyOf(ACME), kind, parts));

describe('GET /v1/search', () => {
  it('finds an entity by the beginning of its name, the whole name first, whatever the case', async () => {
    expect(await search(q('Assistant'))).toEqual({
      as_of: { index: '15', at: timeText(NOW) },
      items: [
        {
          kind: 'client',
          match: 'exact',
          id: id(2, IDP, 'assistant'),
          name: 'assistant',
          iss: IDP,
          first_seen: '0',
          see: `/v1/timeline?client=${id(2, IDP, 'assistant')}`,
        },
        {
          kind: 'client',
          match: 'prefix',
          id: id(2, CRM_AS, 'assistant-at-crm'),
          name: 'assistant-at-crm',
          iss: CRM_AS,
          first_seen: '0',
          see: `/v1/timeline?client=${id(2, CRM_AS, 'assistant-at-crm')}`,
        },
        {
          kind: 'client',
          match: 'prefix',
          id: id(2, WIKI_AS, 'assistant-at-wiki'),
          name: 'assistant-at-wiki',
          iss: WIKI_AS,
          first_seen: '6',
          see: `/v1/timeline?client=${id(2, WIKI_AS, 'assistant-at-wiki')}`,
        },
      ],
      at_least: false,
    });
  });

  it.each([
    ['alice', ['user exact alice', 'user part crm-alice']],
    ['ALI', ['user prefix alice', 'user part crm-alice']],
    ['LIC', ['user part alice', 'user part crm-alice']],
    ['li', []],
    ['0.113.', ['address part 203.0.113.7']],
    ['ntacts/{', ['route part /contacts/{id}']],
    ['iki.exampl', ['source part wiki', `resource part ${WIKI}`]],
    ['t1', ['token exact t1']],
    ['j1', ['id_jag exact j1', 'token lineage t1']],
    ['j-unseen', ['token lineage t4']],
    ['crm-alice', ['user exact crm-alice']],
    ['agent-7', ['agent exact agent-7']],
    ['supp', ['agent_type prefix support']],
    [CRM, [`resource exact ${CRM}`]],
    [
      'https://',
      [
        'source prefix crm',
        'source prefix hr',
        'source prefix idp',
        'source prefix wiki',
        `resource prefix ${CRM}`,
        `resource prefix ${WIKI}`,
      ],
    ],
    ['/contacts', ['route exact /contacts', 'route prefix /contacts/{id}']],
    ['203.0.113.7', ['address exact 203.0.113.7']],
    ['  bob  ', ['user exact bob']],
    // A scope is nobody's name, and a pattern is a text like any other.
    ['contacts.read', []],
    ['%', []],
    ['_lice', []],
    ['ali\\', []],
    ["' OR 1=1 --", []],
    ['nobody', []],
    ['wiki', ['source exact wiki', 'client part assistant-at-wiki', `resource part ${WIKI}`]],
    [SOURCES.crm.id, ['source exact crm']],
    [SOURCES.globex.id, []],
    ['globex', []],
  ])('%s', async (text, expected) => expect(await found(q(text))).toEqual(expected));

  it('finds a token by its key, digest, or issuer and jti, and tokens that came from an ID-JAG', async () => {
    const t1 = {
      kind: 'token',
      match: 'exact',
      id: key('token', CRM_AS, 't1'),
      name: 't1',
      iss: CRM_AS,
      first_seen: '2',
      see: `/v1/tokens/${key('token', CRM_AS, 't1')}`,
    };
    expect((await search(`iss=${CRM_AS}&jti=t1`)).items).toEqual([t1]);
    expect((await search(q(key('token', CRM_AS, 't1')))).items).toEqual([t1]);
    const digest = sha256(T2_TEXT);
    const t2 = [`token exact ${digest}`];
    expect(await found(q(digest))).toEqual(t2);
    expect(await found(q(Buffer.from(digest, 'base64url').toString('hex')))).toEqual(t2);
    expect(await found(q(Buffer.from(digest, 'base64url').toString('hex').toUpperCase()))).toEqual(t2);
    expect(await found(`iss=${IDP}&jti=j1`)).toEqual(['id_jag exact j1', 'token lineage t1']);
    // No event on it has come; the token that its authorization server ties to it has.
    expect(await found(`iss=${IDP}&jti=j-unseen`)).toEqual(['token lineage t4']);
    expect(await found(`iss=${CRM_AS}&jti=never`)).toEqual([]);
    expect(await found(q(sha256('never')))).toEqual([]);
    const [idJag] = (await search(`iss=${IDP}&jti=j1`)).items;
    expect((await api.get(idJag.see)).body.index).toBe('1');
  });

  it('finds an entry by its index, beside the entity of that id, and a rule by its id', async () => {
    expect(await found(q('7'))).toEqual([`entry exact dev.rescind.token.issued.v1`, expect.stringMatching(/ exact /)]);
    expect(await found(q('15'))).not.toContain('entry exact dev.rescind.token.issued.v1');
    expect((await search(q(RULE))).items).toEqual([
      {
        kind: 'rule',
        match: 'exact',
        id: RULE,
        name: RULE,
        iss: null,
        first_seen: null,
        see: `/v1/revocations/${RULE}`,
      },
    ]);
    expect(await found(q(RULE.toUpperCase()))).toEqual([`rule exact ${RULE}`]);
    expect(await found(q(RULE), 'globex-audit')).toEqual([]);
  });

  it('finds as of a moment only names seen by then', async () => {
    expect(await found(`${q('bob')}&as_of=6`)).toEqual([]);
    expect(await found(`${q('bob')}&as_of=7`)).toEqual(['user exact bob']);
    expect(await found(`iss=${CRM_AS}&jti=t1&as_of=2`)).toEqual([]);
    expect(await found(`iss=${CRM_AS}&jti=t1&as_of=3`)).toEqual(['token exact t1']);
    expect(await found(`iss=${IDP}&jti=j1&as_of=2`)).toEqual(['id_jag exact j1']);
    expect(await found(`${q('7')}&as_of=7`)).not.toContain('entry exact dev.rescind.token.issued.v1');
  });

  it('says when there are more results', async () => {
    const { items, at_least } = await search(`${q('a')}&limit=2`);
    expect([items.length, at_least]).toEqual([2, true]);
    expect((await search(`${q('assistant')}&limit=3`)).at_least).toBe(false);
  });

  it('finds names of the directory by the beginning of each word', async () => {
    const idp = encodeURIComponent(IDP);
    await api.send('PUT', `/v1/directory/users/alice?iss=${idp}&tenant=acme`, 'acme-admin', {
      userName: 'a.archer',
      displayName: 'Alice Ärcher-Young',
      emails: [{ value: 'Alice.Y@acme.example' }],
    });
    await api.send('PUT', `/v1/directory/users/never-seen?iss=${idp}&tenant=acme`, 'acme-admin', {
      userName: 'a.archibald',
      displayName: 'Alice Archibald',
    });
    for (const text of ['Alice Ä', 'ärcher', 'young al', 'A.ARCH', 'alice.y@ACME.example'])
      expect([text, await found(q(text))]).toEqual([text, ['user directory alice']]);
    expect(await found(q('archer bob'))).toEqual([]);
    expect(await found(q("& | ! <-> 'x':* ()"))).toEqual([]);
    expect((await search(q('alice'))).items).toMatchObject([
      { kind: 'user', match: 'exact', display_name: 'Alice Ärcher-Young' },
      { kind: 'user', match: 'part', display_name: 'Alice Ärcher-Young' },
    ]);
    for (const text of ['cher-Yo', '.ARCHE', 'y@acme.ex'])
      expect([text, await found(q(text))]).toEqual([text, ['user directory alice']]);
    // The local name of the same person shows who it is.
    expect((await search(q('crm-alice'))).items[0].display_name).toBe('Alice Ärcher-Young');
    expect(await found(q('ärcher'), 'globex-audit')).toEqual([]);
    expect(await found(`${q('ärcher')}&as_of=1`)).toEqual([]);
  });

  it('points each result to a question that has an answer', async () => {
    const kinds = new Set<string>();
    for (const text of ['a', 'e', 'h', 'su', '/', '2', '7', 't1', 'j1', sha256(T2_TEXT)]) {
      for (const { kind, see } of (await search(`${q(text)}&limit=100`)).items) {
        kinds.add(kind);
        // The service answers about a source's check and a rule in other folders: `search-links.spec.ts`.
        if (kind === 'source' || kind === 'rule') continue;
        const { status, body } = await api.get(see);
        expect([see, status, isEmpty(body)]).toEqual([see, 200, false]);
      }
    }
    expect([...kinds].sort()).toEqual(FOUND.filter((kind) => kind !== 'rule').sort());
  });

  it('points an address and a route to their accesses', async () => {
    const [address] = (await search(q('203.0.113.7'))).items;
    expect(address.see).toBe('/v1/access?client_address=203.0.113.7&from=2026-09-21T14:13:50Z');
    expect((await api.get(address.see)).body.items).toMatchObject([{ index: '3', client_address: '203.0.113.7' }]);
    const route = (await search(q('/contacts/{id}'))).items[0];
    expect((await api.get(route.see)).body.items.map(({ index }: any) => index)).toEqual(['4', '3']);
    // Nobody has said whose token it is, nor for which resource.
    const [early] = (await search(`${q('search')}&as_of=6`)).items;
    expect(isEmpty((await api.get(early.see)).body)).toBe(false);
  });

  it('gives another tenant its own results', async () => {
    expect(await found(q('alice'), 'globex-audit')).toEqual([]);
    expect(await found(q('somebody'), 'globex-audit')).toEqual(['user exact somebody']);
    expect(await found(q('somebody'))).toEqual([]);
    expect(await found(q(key('token', CRM_AS, 't1')), 'globex-audit')).toEqual([]);
    // The same issuer and jti is another token there.
    expect((await search(`iss=${CRM_AS}&jti=t1`, 'globex-audit')).items.map((item: any) => item.first_seen)).toEqual([
      '0',
    ]);
  });

  const JWT = ['{"alg":"ES256"}', '{"jti":"t1"}', 'signature-of-no-token-at-all']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

  const LONG = JWT.replace('.', `.${Buffer.from('{"a":1').toString('base64url')}${'A'.repeat(3_000)}`);
  it.each([q(JWT), `jwt=${JWT}`, `${JWT}=1`, `iss=${CRM_AS}&jti=${JWT}`, `q=x&q=${JWT}`, q(LONG)])(
    'refuses a token anywhere in the request (%#)',
    async (query) => {
      const { status, type, body } = await api.get(`/v1/search?${query}`);
      expect([status, type, body.code]).toEqual([400, 'application/problem+json', 'token-in-request']);
      expect(body.detail).toMatch(/`iss` and `jti`/);
      for (const text of [JSON.stringify(body), ...logged])
        expect(text).not.toMatch(/eyJhbGciOiJFUzI1NiJ9|ZXlK|c2lnbmF0dXJl|\[masked\]/);
    },
  );

  it.each([
    ['', 'inconsistent-request'],
    ['q=', 'invalid-request'],
    ['q=%20%20', 'invalid-request'],
    ['q=%00', 'invalid-request'],
    ['q=a&q=b', 'invalid-request'],
    ['q=a&iss=x', 'inconsistent-request'],
    ['q=a&jti=x', 'inconsistent-request'],
    ['iss=x', 'inconsistent-request'],
    ['jti=x', 'inconsistent-request'],
    ['q=a&cursor=x', 'invalid-request'],
    ['q=a&limit=0', 'invalid-request'],
    ['q=a&limit=101', 'invalid-request'],
    ['q=a&as_of=x', 'invalid-request'],
    ['q=a&as_of=16', 'as-of-out-of-range'],
    [`q=${'a'.repeat(513)}`, 'invalid-request'],
    ['__proto__=x', 'invalid-request'],
  ])('refuses %s: %s', async (query, code) => {
    const { status, body } = await api.get(`/v1/search?${query}`);
    expect([status, body.code]).toEqual([400, code]);
  });

  it.each([
    '9223372036854775807',
    '999999999999999999',
    '2147483648',
    '0',
    '01',
    '-1',
    '1e9',
    '\u{1F600}',
    'ſ',
    'İ',
    '\u202e',
    ':*',
    '""',
    '\\',
    '(',
  ])('answers %j', async (text) => {
    expect((await api.get(`/v1/search?${q(text)}`)).status).toBe(200);
  });

  it.each(ROLE_NAMES)('asked by %s', async (role) => {
    expect((await api.get('/v1/search?q=a', `acme-${role}`)).status).toBe(role === 'audit' ? 200 : 403);
  });
});

it('points an address to its accesses at every resource', async () => {
  const at = (nth: number, source: 'crm' | 'wiki', jti: string) =>
    say(source, 'access.allowed', T + nth, {
      token: { iss: source === 'crm' ? CRM_AS : WIKI_AS, jti },
      operation: 'read',
      status: 200,
      client_address: '198.51.100.9',
    });
  await api.say([at(2_000, 'crm', 't1'), at(2_001, 'wiki', 'nobody-knows-it'), at(2_002, 'crm', 't1')]);
  const [{ see }] = (await search(q('198.51.100.9'))).items;
  const { items } = (await api.get(see)).body;
  expect(items.map((item: any) => [item.client_address, item.resource?.uri])).toEqual([
    ['198.51.100.9', CRM],
    ['198.51.100.9', WIKI],
    ['198.51.100.9', CRM],
  ]);
});

it('shows the first names that have a part which very many have', async () => {
  const name = (nth: number): string => `${String(nth).padStart(5, '0')}.part-of-all.example`;
  const uses = Array.from({ length: 1_500 }, (_, nth) =>
    say('wiki', 'access.allowed', T + 900, {
      token: { iss: WIKI_AS, jti: 'nobody-knows-it' },
      operation: 'read',
      // The last by name come first.
      client_address: name(1_500 - nth),
      status: 200,
    }),
  );
  await api.say(uses);
  const { items, at_least: more } = await search(`${q('PART-of-all')}&limit=20`);
  expect([items.map((item: any) => item.name), more]).toEqual([
    Array.from({ length: 20 }, (_, nth) => name(nth + 1)),
    true,
  ]);
  expect(await found(q('00007.part'))).toEqual([`address prefix ${name(7)}`]);
  expect(await found(q('0900.part'))).toEqual([`address part ${name(900)}`]);
});

it('a search walks the index of names, not the names', async () => {
  const many = Array.from({ length: 2_000 }, (_, nth) =>
    say('crm', 'access.allowed', T + 500, {
      token: { iss: CRM_AS, jti: 't1' },
      operation: 'read',
      route: `/r/${nth}`,
      status: 200,
    }),
  );
  await api.say(many);
  await api.pool.query('ANALYZE entity');
  const { rows } = await api.pool.query<{ 'QUERY PLAN': string }>(
    "EXPLAIN SELECT id FROM entity WHERE tenant = $1 AND kind = 8 AND kind <> 9 AND lower(parts ->> -1) LIKE '203.0%' ORDER BY lower(parts ->> -1) USING ~<~ LIMIT 10".replace(
      '$1',
      `'${ACME}'`,
    ),
  );
  expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/entity_name/);
});
