import { edgeKey, type KnownEdge, type KnownEdges } from './known-edges.js';

/** New grants that a process remembers for each pair of a tenant, on average: 8 bytes each. */
const MAX_GRANTS_A_PAIR = 40;
/** New grants that a process remembers of a tenant with few pairs. */
const MIN_GRANTS = 1_000;

/** A pair's new grants between two indexes. */
export interface NewGrants {
  readonly client: number;
  readonly res: number;
  readonly grants: number;
  readonly first: number;
  readonly last: number;
}

/** Counts the indexes below `index`; `indexes` ascend. */
function countBelow(indexes: readonly number[], index: number): number {
  let low = 0;
  for (let high = indexes.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (indexes[middle]! < index) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Counts grants as of an index that is not below `grantsFrom`. `before` must have been read. */
export const grantsAt = ({ grants }: KnownEdge, index: number): number =>
  grants.before! + countBelow(grants.since, index);

/** Finds the new grants between two indexes. `from` must not be below `grantsFrom`. */
export function grantsBetween(
  { client, res, grants: { since } }: KnownEdge,
  from: number,
  to: number,
): NewGrants | undefined {
  const first = countBelow(since, from);
  const end = countBelow(since, to);
  return end === first ? undefined : { client, res, grants: end - first, first: since[first]!, last: since[end - 1]! };
}

/** Says how many more grants may be remembered; negative if there are too many. */
export function roomForGrants({ edges }: KnownEdges): number {
  let held = 0;
  for (const { grants } of edges.values()) held += grants.since.length;
  return Math.max(MIN_GRANTS, MAX_GRANTS_A_PAIR * edges.size) - held;
}

/** Adds the grants from an index up to `grantsFrom`, in the order of their indexes. */
export function learnEarlierGrants(
  known: KnownEdges,
  rows: readonly { readonly client: number; readonly res: number; readonly ix: number }[],
  from: number,
): void {
  const earlier = new Map<string, number[]>();
  for (const row of rows) {
    const key = edgeKey(row);
    const there = earlier.get(key);
    if (there) there.push(row.ix);
    else earlier.set(key, [row.ix]);
  }
  for (const [key, indexes] of earlier) {
    const grants = known.edges.get(key)?.grants;
    if (grants === undefined) continue;
    grants.since = [...indexes, ...grants.since];
    if (grants.before !== undefined) grants.before -= indexes.length;
  }
  known.grantsFrom = from;
}

/** Drops grants of the earlier half of the indexes, and counts them in `before`, until the rest fits. */
export function boundGrants(known: KnownEdges): void {
  while (roomForGrants(known) < 0 && known.grantsFrom < known.upTo) {
    const from = Math.ceil((known.grantsFrom + known.upTo) / 2);
    for (const { grants } of known.edges.values()) {
      const forgotten = countBelow(grants.since, from);
      if (forgotten === 0) continue;
      grants.since = grants.since.slice(forgotten);
      if (grants.before !== undefined) grants.before += forgotten;
    }
    known.grantsFrom = from;
  }
}
