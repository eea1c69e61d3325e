/** A client and a resource as facts name them, with the values that filters and counts need as of a moment. */
export interface Pair {
  /** The client at the RAS. */
  readonly client: number;
  readonly res: number;
  /** The client under its IdP name, if an event has tied the two. */
  readonly shownAs: number;
  /** Index of the first entry that shows the two together. */
  readonly firstIx: number;
  /** Arrival of that entry, epoch seconds. */
  readonly firstAt: number;
  /** Users who hold a grant. */
  readonly grants: number;
  readonly use: PairUse;
  readonly agents: readonly number[];
}

/** The statements of an answer about a pair that is shown. */
export interface PairDetails {
  readonly state: PairState;
  readonly approved: readonly string[];
  readonly granted: readonly string[];
  readonly used: readonly string[];
}

/** Returns the details of a pair, given as facts name it. */
export type PairsDetails = (pair: { readonly client: number; readonly res: number }) => PairDetails;

export interface PairUse {
  readonly accesses: number;
  readonly allowed: number;
  /** Times of all accesses, epoch seconds. */
  readonly first: number | null;
  readonly last: number | null;
  /** Times of the allowed accesses, epoch seconds. */
  readonly firstUsed: number | null;
  readonly lastUsed: number | null;
  /** True if not all uses were walked: the numbers are lower bounds. */
  readonly cut: boolean;
}

export type PairState = 'created' | 'observed' | 'deleted' | 'unrecorded';

/** A pair under the client's name that is shown; it may stand for several RASs' names of the client. */
export interface ShownPair extends Pair {
  readonly rasClients: readonly number[];
}

export const NO_USE: PairUse = {
  accesses: 0,
  allowed: 0,
  first: null,
  last: null,
  firstUsed: null,
  lastUsed: null,
  cut: false,
};

/** If connections share client and resource, a decided state wins over an observed one, and that over a deleted one. */
const RANK: Readonly<Record<PairState, number>> = { created: 3, observed: 2, deleted: 1, unrecorded: 0 };
export const joinStates = (one: PairState, other: PairState): PairState => (RANK[one] >= RANK[other] ? one : other);

/** Merges the pairs that are shown as one; busiest first. */
export function foldPairs(pairs: readonly Pair[]): ShownPair[] {
  const folded = new Map<string, ShownPair>();
  for (const pair of pairs) {
    const client = pair.shownAs;
    const key = `${client} ${pair.res}`;
    const known = folded.get(key);
    folded.set(key, known === undefined ? shownAlone(pair) : join(known, pair));
  }
  return [...folded.values()].sort(byWeight);
}

/** Lists the members one by one, which is faster than a spread: there are thousands of pairs. */
const shownAlone = ({ client, res, shownAs, firstIx, firstAt, grants, use, agents }: Pair): ShownPair => ({
  client: shownAs,
  res,
  shownAs,
  firstIx,
  firstAt,
  grants,
  use,
  agents,
  rasClients: [client],
});

function join(one: ShownPair, other: Pair): ShownPair {
  return {
    client: one.client,
    shownAs: one.shownAs,
    res: one.res,
    rasClients: [...one.rasClients, other.client],
    firstIx: Math.min(one.firstIx, other.firstIx),
    firstAt: one.firstIx < other.firstIx ? one.firstAt : other.firstAt,
    grants: one.grants + other.grants,
    use: joinUse(one.use, other.use),
    agents: one.agents.length + other.agents.length === 0 ? one.agents : union(one.agents, other.agents),
  };
}

export function joinDetails(details: readonly PairDetails[]): PairDetails {
  return details.reduce((one, other) => ({
    state: joinStates(one.state, other.state),
    approved: union(one.approved, other.approved),
    granted: union(one.granted, other.granted),
    used: union(one.used, other.used),
  }));
}

export const joinUse = (one: PairUse, other: PairUse): PairUse => ({
  accesses: one.accesses + other.accesses,
  allowed: one.allowed + other.allowed,
  first: least(one.first, other.first),
  last: greatest(one.last, other.last),
  firstUsed: least(one.firstUsed, other.firstUsed),
  lastUsed: greatest(one.lastUsed, other.lastUsed),
  cut: one.cut || other.cut,
});

const least = (one: number | null, other: number | null): number | null =>
  one === null ? other : other === null ? one : Math.min(one, other);
const greatest = (one: number | null, other: number | null): number | null =>
  one === null ? other : other === null ? one : Math.max(one, other);
const union = <T>(one: readonly T[], other: readonly T[]): readonly T[] => [...new Set([...one, ...other])].sort();

const byWeight = (one: ShownPair, other: ShownPair): number =>
  other.use.accesses - one.use.accesses ||
  other.grants - one.grants ||
  one.client - other.client ||
  one.res - other.res;
