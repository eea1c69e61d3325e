import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { histories } from './as-of-histories.js';
import { ACME, say, startQueryApi, T } from './history.js';
import { CRM, CRM_AS, IDP } from './story.js';

/*
 * Compares /v1/changes of one entry with the answers of /v1/graph, /v1/connections and /v1/grants before and after it, and compares /v1/changes
 * of a window with /v1/changes of each of its entries. Clients that were tied to their IdP's name in between go by that name on both sides.
 */
const SEED = Number(process.env['SEED'] ?? 1);
const PAIRS_OF_MOMENTS = 25;
/** Entries of a window that are asked about one by one. */
const STEPS = 40;

let api: Awaited<ReturnType<typeof startQueryApi>>;
let head: number;
beforeAll(async () => {
  api = await startQueryApi([]);
  for (const history of fc.sample(histories, { seed: SEED, numRuns: 6 }))
    for (const { said } of history) await api.say(said);
  // Each history may have it; one of them must.
  const connection = { iss: IDP, idp_client_id: 'last', aud: [CRM_AS], client_id: 'last-at-crm', resource: [CRM] };
  await api.say([
    say('idp', 'connection.created', T, { ...connection, scope: 'a' }),
    say('idp', 'connection.updated', T + 1, { ...connection, scope: 'b' }),
  ]);
  head = Number((await api.pool.query('SELECT next_ix FROM ledger_head WHERE tenant = $1', [ACME])).rows[0].next_ix);
}, 60_000);
afterAll(() => api.stop());

async function all(path: string): Promise<any[]> {
  const items: any[] = [];
  for (let cursor = ''; ; ) {
    const { status, body } = await api.get(`${path}&limit=100${cursor}`);
    expect([path, status]).toEqual([path, 200]);
    items.push(...body.items);
    if (body.next === undefined) return items;
    cursor = `&cursor=${body.next}`;
  }
}

interface Edge {
  grants: number;
  granted: Set<string>;
  used: Set<string>;
  approved: Set<string>;
}

/** The graph by names: edges by client and resource, agents by agent and client, users by client. */
async function graphAt(index: number, shown: (client: string) => string) {
  const { body } = await api.get(`/v1/graph?fold=users&as_of=${index}`);
  expect(body.left_out).toEqual({ users: 0, clients: 0, resources: 0, agents: 0, connections: 0 });
  const nodes = new Map<string, any>(body.nodes.map((node: any) => [node.id, node]));
  const edges = new Map<string, Edge>();
  const agents = new Set<string>();
  for (const edge of body.edges) {
    if (edge.type === 'agent') agents.add(`${edge.from} → ${shown(edge.to)}`);
    if (edge.type !== 'connection') continue;
    const key = `${shown(edge.from)} → ${edge.to}`;
    const known = edges.get(key) ?? { grants: 0, granted: new Set(), used: new Set(), approved: new Set() };
    edges.set(key, {
      grants: known.grants + edge.grants,
      granted: new Set([...known.granted, ...edge.granted_scopes]),
      used: new Set([...known.used, ...edge.used_scopes]),
      approved: new Set([...known.approved, ...edge.approved_scopes]),
    });
  }
  const users = new Map<string, number>(
    [...nodes.values()].filter(({ type }) => type === 'client').map(({ id, users: count }) => [id, count]),
  );
  return { edges, agents, users };
}

const without = (one: Iterable<string>, other: Iterable<string>): string[] => {
  const there = new Set(other);
  return [...new Set(one)].filter((item) => !there.has(item)).sort();
};

async function connectionsAt(index: number): Promise<Map<string, any>> {
  return new Map((await all(`/v1/connections?as_of=${index}`)).map((item) => [item.id, item]));
}

async function grantsAt(index: number): Promise<Map<string, any>> {
  return new Map(
    (await all(`/v1/grants?as_of=${index}`)).map((item) => [
      `${item.user.entity} ${item.client.entity} ${item.resource.entity}`,
      item,
    ]),
  );
}

/** Lines of connections as they are; of grants what each pair gained. */
const stepsOf = (items: readonly any[]) => ({
  connections: items.filter(({ kind }) => kind.startsWith('connection-')),
  grew: [
    ...new Set(
      items
        .filter(({ kind }) => kind === 'grants-grew')
        .flatMap((item) =>
          item.scopes_added.map((scope: string) => `${item.client.entity} ${item.resource.entity} ${scope}`),
        ),
    ),
  ].sort(),
});

async function oneByOne(since: number, until: number): Promise<any[]> {
  const items: any[] = [];
  for (let index = since; index < until; index++)
    items.unshift(...(await all(`/v1/changes?since=${index}&until=${index + 1}`)));
  return items;
}

it(`the changes are the difference of two states, and each step between them (SEED=${SEED})`, async () => {
  const seen = new Map<string, number>();
  const moments = fc.sample(fc.uniqueArray(fc.integer({ min: 1, max: head }), { minLength: 2, maxLength: 2 }), {
    seed: SEED,
    numRuns: PAIRS_OF_MOMENTS,
  });
  const singles = fc
    .sample(fc.integer({ min: 1, max: head - 1 }), { seed: SEED, numRuns: PAIRS_OF_MOMENTS })
    .map((index) => [index, index + 1] as const);
  for (const [since, until] of [
    [1, head] as const,
    [head - 1, head] as const,
    [Math.max(1, head - STEPS), head] as const,
    ...singles,
    ...moments.map((pair) => pair.sort((a, b) => a - b) as [number, number]),
  ]) {
    const ties = await api.pool.query(
      'SELECT DISTINCT ON (local) local::text, idp::text FROM alias WHERE tenant = $1 AND from_ix < $2 ORDER BY local, from_ix',
      [ACME, until],
    );
    const tied = new Map<string, string>(ties.rows.map(({ local, idp }) => [local, idp]));
    const shown = (client: string): string => tied.get(client) ?? client;
    const items = await all(`/v1/changes?since=${since}&until=${until}`);
    for (const { kind } of items) seen.set(kind, (seen.get(kind) ?? 0) + 1);
    const of = (...kinds: string[]) => items.filter(({ kind }) => kinds.includes(kind));
    const edgeOf = ({ client, resource }: any) => `${shown(String(client.entity))} → ${resource.entity}`;
    const [before, after] = [await graphAt(since, shown), await graphAt(until, shown)];
    const told = (what: unknown) => ({ since, until, what });

    const named = of(
      'connection-appeared',
      'connection-returned',
      'connection-vanished',
      'connection-changed',
      'unrecorded-appeared',
    ).map(edgeOf);
    expect(told(without(named, before.edges.keys()))).toEqual(told(without(after.edges.keys(), before.edges.keys())));
    for (const [key, edge] of after.edges) {
      const earlier = before.edges.get(key);
      const lines = (kind: string) => of(kind).filter((item) => edgeOf(item) === key);
      const grants = lines('grants-appeared').reduce((sum, item) => sum + item.grants, 0);
      expect(told([key, grants])).toEqual(told([key, edge.grants - (earlier?.grants ?? 0)]));
      const scopes = (kind: string) => lines(kind).flatMap((item) => item.scopes.map(({ scope }: any) => scope));
      expect(told([key, without(scopes('scopes-granted'), earlier?.granted ?? [])])).toEqual(
        told([key, without(edge.granted, earlier?.granted ?? [])]),
      );
      expect(told([key, without(scopes('scopes-used'), earlier?.used ?? [])])).toEqual(
        told([key, without(edge.used, earlier?.used ?? [])]),
      );
    }
    const acting = of('agents-appeared').flatMap((item) =>
      item.agents.map(({ agent }: any) => `${agent.entity} → ${shown(String(item.client.entity))}`),
    );
    expect(told(without(without(after.agents, before.agents), acting))).toEqual(told([]));
    const gained = of('users-appeared').map((item) => `${item.client.entity}: ${item.users}`);
    const counted = [...after.users]
      .map(([client, users]) => [client, users - (before.users.get(client) ?? 0)] as const)
      .filter(([, users]) => users > 0);
    expect(told(gained.filter((one) => after.users.has(one.split(':')[0]!)).sort())).toEqual(
      told(counted.map(([client, users]) => `${client}: ${users}`).sort()),
    );

    const [wasConnected, isConnected] = [await connectionsAt(since), await connectionsAt(until)];
    const steps = of(
      'connection-appeared',
      'connection-returned',
      'connection-vanished',
      'connection-changed',
    ).toReversed();
    for (const id of new Set([...isConnected.keys(), ...steps.map(({ connection }) => connection)])) {
      const walked = steps.filter(({ connection }) => connection === id);
      // From what it was, step by step, to what it is.
      const states = [
        wasConnected.get(id)?.state ?? null,
        ...walked.flatMap(({ before: from, after: to }) => [from, to]),
        isConnected.get(id).state,
      ];
      expect(told([id, states.filter((_, nth) => nth % 2 === 0)])).toEqual(
        told([id, states.filter((_, nth) => nth % 2 === 1)]),
      );
      if (isConnected.get(id).state === 'deleted') continue;
      const scopes = new Set<string>(
        wasConnected.get(id)?.state === 'deleted' ? [] : wasConnected.get(id)?.granted_scopes,
      );
      for (const { scopes_added: added, scopes_removed: removed } of walked) {
        for (const scope of removed) scopes.delete(scope);
        for (const scope of added) scopes.add(scope);
      }
      expect(told([id, [...scopes].sort()])).toEqual(told([id, isConnected.get(id).granted_scopes]));
    }

    const [held, holds] = [await grantsAt(since), await grantsAt(until)];
    const grown = [...holds].filter(
      ([key, item]) => held.has(key) && without(item.granted_scopes, held.get(key).granted_scopes).length > 0,
    );
    expect(of('grants-grew').reduce((sum, item) => sum + item.grants, 0)).toBeGreaterThanOrEqual(grown.length);
    if (until === since + 1)
      expect(told(of('grants-grew').reduce((sum, item) => sum + item.grants, 0))).toEqual(told(grown.length));
    expect(told(of('grants-appeared').reduce((sum, item) => sum + item.grants, 0))).toEqual(
      told(holds.size - held.size),
    );
    if (until - since <= STEPS) expect(told(stepsOf(items))).toEqual(told(stepsOf(await oneByOne(since, until))));
    // Each line was made by entries between the two.
    for (const { first, last } of items)
      expect(
        told([Number(first.index) >= since, Number(first.index) <= Number(last.index), Number(last.index) < until]),
      ).toEqual(told([true, true, true]));
  }
  for (const kind of [
    'connection-appeared',
    'connection-changed',
    'unrecorded-appeared',
    'grants-appeared',
    'scopes-granted',
    'scopes-used',
    'agents-appeared',
    'users-appeared',
  ]) {
    expect([kind, (seen.get(kind) ?? 0) > 0]).toEqual([kind, true]);
  }
}, 240_000);
