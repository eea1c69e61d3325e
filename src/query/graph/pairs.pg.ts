import { readUsesOfUsers, type Snapshot } from '../../projections/index.js';
import type { Follow } from '../ask/followed.js';
import { boundsOf } from '../ask/usage.js';
import type { Window } from '../ask/window.js';
import { countGrants, createFollowEdges, readEdges } from './edges.pg.js';
import {
  agentsAt,
  connectedAgents,
  detailsAt,
  edgeKey,
  shownAs,
  type KnownEdge,
  type KnownEdges,
} from './known-edges.js';
import { joinUse, NO_USE, type Pair, type PairsDetails, type PairUse } from './pairs.js';
import { readRawUses, type RawUses } from './raw-uses.pg.js';
import { createFollowUses, readUses, type UseSums } from './uses.pg.js';
import { readHeldByUsers, type HeldByUsers } from './users-grants.pg.js';

export interface PairFilter {
  readonly users?: readonly number[] | undefined;
  readonly clients?: readonly number[] | undefined;
  readonly agents?: readonly number[] | undefined;
  readonly resources?: readonly number[] | undefined;
}

export interface ReadPairs {
  readonly pairs: readonly Pair[];
  readonly detailsOf: PairsDetails;
  /** Returns the IdP's name of a client, under which it is shown. */
  readonly shownAs: (client: number) => number;
  /** The users' grants, one by one; only if users are a filter. */
  readonly held?: HeldByUsers;
}

/** Follows pairs for the questions that need them. */
export interface FollowPairs {
  readonly edges: Follow<KnownEdges>;
  readonly uses: Follow<UseSums>;
}

export const createFollowPairs = (): FollowPairs => ({ edges: createFollowEdges(), uses: createFollowUses() });

/**
 * Reads all pairs that the filter leaves, with their counts, as of the snapshot. A client, agent or resource chooses
 * pairs, and the counts are those of the pair; with users, the counts are the users' own. Without users and window all
 * counts come from aggregates.
 */
export async function readPairs(
  snapshot: Snapshot,
  follow: FollowPairs,
  filter: PairFilter,
  window: Window,
): Promise<ReadPairs> {
  const { resources, agents, users } = filter;
  if (users) return ofUsers(snapshot, follow, { ...filter, users }, window);
  const index = Number(snapshot.index);
  const known = await readEdges(follow.edges, snapshot, filter);
  const clients = filter.clients && new Set(filter.clients);
  const wanted = resources && new Set(resources);
  const chosen = [...known.edges.values()].filter(
    ({ client, res, firstIx }) =>
      firstIx < index && (clients === undefined || clients.has(client)) && (wanted === undefined || wanted.has(res)),
  );
  const met = chosen
    .map((edge) => ({ edge, agents: agentsAt(edge, index) }))
    .filter((one) => !agents || one.agents.some((agent) => agents.includes(agent)));
  const use = await readUsesWithin(
    snapshot,
    follow,
    agents ? { clients: unique(met.map(({ edge }) => edge.client)), resources } : filter,
    window,
  );
  const grants = await countGrants(
    snapshot,
    met.map(({ edge }) => edge),
  );
  return {
    pairs: met.map(({ edge, agents: acting }, nth) =>
      pairOf(edge, {
        shownAs: shownAs(known, edge.client, index),
        grants: grants[nth]!,
        use: use(edge.key),
        agents: acting,
      }),
    ),
    detailsOf: (pair) => detailsAt(known.edges.get(edgeKey(pair))!, index),
    shownAs: (client) => shownAs(known, client, index),
  };
}

const pairOf = (
  { client, res, firstIx, firstAt }: KnownEdge,
  counted: Pick<Pair, 'shownAs' | 'grants' | 'use' | 'agents'>,
): Pair => ({ client, res, firstIx, firstAt, ...counted });

type UseOf = (key: string) => PairUse;

async function readUsesWithin(
  snapshot: Snapshot,
  follow: FollowPairs,
  { clients, resources }: PairFilter,
  window: Window,
): Promise<UseOf> {
  if (window.from === undefined && window.to === undefined)
    return readUses(follow.uses, snapshot, { clients, resources });
  const [from, to] = boundsOf(window);
  return sumUses(await readRawUses(snapshot, { clients, resources, from, to }));
}

async function ofUsers(
  snapshot: Snapshot,
  follow: FollowPairs,
  filter: PairFilter & { readonly users: readonly number[] },
  window: Window,
): Promise<ReadPairs> {
  const index = Number(snapshot.index);
  const held = await readHeldByUsers(snapshot, filter);
  const raw = await readUsesOf(snapshot, filter, window);
  const acting = new Map<string, readonly number[]>();
  for (const one of raw.uses) acting.set(edgeKey(one), [...(acting.get(edgeKey(one)) ?? []), ...one.agents]);
  const named = new Map([...held.grants, ...raw.uses].map((one) => [edgeKey(one), one]));
  const met = [...named.values()];
  const known = await readEdges(follow.edges, snapshot, {
    clients: unique(met.map(({ client }) => client)),
    resources: unique(met.map(({ res }) => res)),
  });
  const use = sumUses(raw);
  const pairs = [...named.keys()].flatMap((key) => {
    const edge = known.edges.get(key);
    if (edge === undefined || edge.firstIx >= index) return [];
    const connected = connectedAgents(edge, index);
    const own = [...(held.of(edge)?.agents ?? []), ...(acting.get(key) ?? [])];
    return [
      pairOf(edge, {
        shownAs: shownAs(known, edge.client, index),
        grants: held.of(edge)?.users ?? 0,
        use: use(key),
        agents: unique([...own, ...connected]),
      }),
    ];
  });
  return {
    pairs,
    held,
    shownAs: (client) => shownAs(known, client, index),
    detailsOf: (pair) => ({
      ...detailsAt(known.edges.get(edgeKey(pair))!, index),
      granted: held.of(pair)?.scopes ?? [],
      used: held.used(pair),
    }),
  };
}

/** Reads all uses of some users. Sums exist without agents only, so with agents the uses are walked. */
async function readUsesOf(
  snapshot: Snapshot,
  { users, clients, resources, agents }: PairFilter & { readonly users: readonly number[] },
  window: Window,
): Promise<RawUses> {
  const [from, to] = boundsOf(window);
  if (agents) return readRawUses(snapshot, { users, clients, resources, agents, from, to });
  const used = await readUsesOfUsers(snapshot, { users, clients, resources }, { window: [from, to] });
  return { uses: used.map((use) => ({ ...use, cut: false })), isCut: () => false };
}

function sumUses({ uses, isCut }: RawUses): UseOf {
  const sums = new Map<string, PairUse>();
  for (const use of uses) sums.set(edgeKey(use), joinUse(sums.get(edgeKey(use)) ?? NO_USE, use));
  return (key) => {
    const [client, res] = key.split(' ').map(Number);
    return { ...(sums.get(key) ?? NO_USE), cut: isCut({ client: client!, res: res! }) };
  };
}

const unique = (ids: readonly number[]): readonly number[] => [...new Set(ids)];
