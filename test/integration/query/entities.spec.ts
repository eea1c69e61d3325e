import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startQueryApi } from './history.js';
import { CRM, STORY, WIKI } from './story.js';

let api: Awaited<ReturnType<typeof startQueryApi>>;
beforeAll(async () => {
  api = await startQueryApi(STORY);
});
afterAll(() => api.stop());

const KINDS = ['user', 'client', 'agent', 'resource'] as const;
type Kind = (typeof KINDS)[number];

const get = async (path: string): Promise<any> => {
  const { status, body } = await api.get(path);
  expect({ path, status, body }).toMatchObject({ status: 200 });
  return body;
};

interface Reckoned {
  grants: number;
  unused: number;
  last: string | null;
  readonly others: Readonly<Record<Kind, Set<number>>>;
}

/** Adds up `/v1/grants` by entity; clients stand under the IdP's name that `/v1/connections` gives. */
async function reckon(kind: Kind, asOf: string): Promise<ReadonlyMap<number, Reckoned>> {
  const { items } = await get(`/v1/grants?limit=100&as_of=${asOf}`);
  const connections = (await get(`/v1/connections?limit=100&as_of=${asOf}`)).items;
  const idpNames = new Map<number, number>(connections.map((one: any) => [one.client.entity, one.idp_client.entity]));
  const all = new Map<number, Reckoned>();
  for (const item of items) {
    const ids: Readonly<Record<Kind, number | undefined>> = {
      user: item.user.entity,
      client: idpNames.get(item.client.entity) ?? item.client.entity,
      agent: item.agent?.entity,
      resource: item.resource.entity,
    };
    const id = ids[kind];
    if (id === undefined) continue;
    const one = all.get(id) ?? {
      grants: 0,
      unused: 0,
      last: null,
      others: { user: new Set(), client: new Set(), agent: new Set(), resource: new Set() },
    };
    all.set(id, one);
    one.grants += 1;
    if (item.last_used === null) one.unused += 1;
    else if (one.last === null || one.last < item.last_used) one.last = item.last_used;
    for (const other of KINDS) if (ids[other] !== undefined) one.others[other].add(ids[other]!);
  }
  return all;
}

describe.each(KINDS)('GET /v1/%ss', (kind) => {
  it('has the numbers that the grants add up to, at every moment', async () => {
    const head = Number((await get(`/v1/${kind}s`)).as_of.index);
    let withGrants = 0;
    for (let index = 1; index <= head; index += 1) {
      const { items } = await get(`/v1/${kind}s?limit=100&as_of=${index}`);
      const expected = await reckon(kind, String(index));
      for (const item of items) {
        const one = expected.get(item[kind].entity);
        expect({ index, ...item }).toMatchObject({ grants: one?.grants ?? 0, unused_grants: one?.unused ?? 0 });
        for (const other of KINDS.filter((name) => name !== kind))
          expect({ index, item, other, count: item[`${other}s`] }).toMatchObject({
            count: one?.others[other].size ?? 0,
          });
        // The last use of another kind counts uses without a grant too.
        if (kind === 'user') expect(item.last_used).toBe(one?.last ?? null);
      }
      const listed = new Set(items.map((item: any) => item[kind].entity));
      for (const id of expected.keys()) expect(listed).toContain(id);
      withGrants += expected.size;
    }
    expect(withGrants).toBeGreaterThan(0);
  });

  it('sorts by each number, and gives every item once, page after page', async () => {
    const valueOf: Readonly<Record<string, (item: any) => number>> = {
      grants: (item) => item.grants,
      unused_grants: (item) => item.unused_grants,
      last_used: (item) => (item.last_used === null ? -1 : Date.parse(item.last_used)),
      first_seen: (item) => Number(item.first_seen.index),
    };
    const whole = (await get(`/v1/${kind}s?limit=100`)).items.map((item: any) => item[kind].entity).sort();
    for (const [sort, value] of Object.entries(valueOf))
      for (const order of ['asc', 'desc']) {
        const items: any[] = [];
        for (let next = ''; ; ) {
          const page = await get(`/v1/${kind}s?limit=1&sort=${sort}&order=${order}${next && `&cursor=${next}`}`);
          items.push(...page.items);
          if (page.next === undefined) break;
          next = page.next;
        }
        expect(items.map((item) => item[kind].entity).sort()).toEqual(whole);
        const values = items.map(value);
        expect(values).toEqual(values.toSorted((one, other) => (order === 'asc' ? one - other : other - one)));
      }
  });

  it('finds one by its id, by a part of its name, and what is new', async () => {
    const { items } = await get(`/v1/${kind}s?sort=first_seen&order=asc`);
    const [first] = items;
    const name: string = first[kind].sub ?? first[kind].client_id ?? first[kind].id ?? first[kind].uri;
    expect((await get(`/v1/${kind}s?${kind}=${first[kind].entity}`)).items).toEqual([first]);
    const found = (await get(`/v1/${kind}s?q=${encodeURIComponent(name.slice(1).toUpperCase())}`)).items;
    expect(found.map((item: any) => item[kind].entity)).toContain(first[kind].entity);
    expect((await get(`/v1/${kind}s?q=%25`)).items).toEqual([]);
    const since = items.at(-1).first_seen.at;
    const news = (await get(`/v1/${kind}s?new_since=${since}`)).items;
    expect(news.map((item: any) => item[kind].entity).sort()).toEqual(
      items
        .filter((item: any) => item.first_seen.at >= since)
        .map((item: any) => item[kind].entity)
        .sort(),
    );
  });
});

it('a name of a resource server is no line of its own once an event has tied it to the IdP’s', async () => {
  const { items } = await get('/v1/users?limit=100');
  const names = items.map((item: any) => item.user.sub);
  expect(names).toContain('alice');
  expect(names).not.toContain('crm-alice');
  const [alice] = items.filter((item: any) => item.user.sub === 'alice');
  const other = (await get(`/v1/entities/${alice.user.entity}`)).names.find(({ name }: any) => name === 'crm-alice');
  expect((await get(`/v1/users?user=${other.entity}`)).items).toEqual([alice]);
});

it('tells which have no owner', async () => {
  const [crm] = (await get(`/v1/resources?resource=${encodeURIComponent(CRM)}`)).items;
  expect(crm).toMatchObject({ owner: null, team: null, tags: [] });
  const put = await api.send('PUT', `/v1/directory/resources/${encodeURIComponent(CRM)}`, 'acme-admin', {
    owner: 'bob',
    tags: ['vip'],
  });
  expect(put).toMatchObject({ status: 200 });
  expect((await get('/v1/resources?owner=present')).items).toEqual([{ ...crm, owner: 'bob', tags: ['vip'] }]);
  const missing = (await get('/v1/resources?owner=missing&limit=100')).items;
  expect(missing.map((item: any) => item.resource.uri)).toEqual([WIKI]);
});
