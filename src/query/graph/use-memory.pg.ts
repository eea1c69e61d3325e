import { LRUCache } from 'lru-cache';
import { BLOCK_BITS, readClosedEdges, readOpenEdges, type EdgeSum } from '../../projections/index.js';
import type { Snapshot } from '../ask/snapshot.pg.js';
import type { EdgeFilter } from './edge-memory.pg.js';
import { edgeKey } from './known-edges.js';
import { joinUse, NO_USE, type PairUse } from './pairs.js';

/** Sums of pairs that a process remembers, over all tenants and moments: about 200 bytes each. */
const MAX_REMEMBERED = 100_000;

type Sums = ReadonlyMap<string, PairUse>;

/** Sums attributed uses by pair as of the snapshot, for the pairs that the filter leaves. */
export type UsesOf = (snapshot: Snapshot, filter: EdgeFilter) => Promise<(key: string) => PairUse>;

/**
 * Remembers sums below closed blocks and below past indexes, which never change in one generation of tables. For the
 * present, the open block is read each time.
 */
export function createUseMemory(): UsesOf {
  const remembered = new LRUCache<string, Sums>({ maxSize: MAX_REMEMBERED, sizeCalculation: (sums) => 1 + sums.size });

  return async (snapshot, filter) => {
    const { index, present } = snapshot;
    const whole = !filter.clients && !filter.resources;
    const name = (upTo: bigint): string => `${snapshot.tenant} ${snapshot.tables} ${upTo}`;
    const known = present ? undefined : remembered.get(name(index));
    if (known) return (key) => known.get(key) ?? NO_USE;

    const block = index >> BLOCK_BITS;
    let closed = remembered.get(name(block << BLOCK_BITS));
    if (closed === undefined) {
      // Filtered sums are cheap to read, so only unfiltered ones are cached.
      closed = sumsOf(await readClosedEdges(snapshot, block, filter));
      if (whole) remembered.set(name(block << BLOCK_BITS), closed);
    }
    const open = sumsOf(await readOpenEdges(snapshot, block, filter));
    if (whole && !present) remembered.set(name(index), join(closed, open));
    const below = closed;
    return (key) => useOf(below.get(key), open.get(key));
  };
}

const sumsOf = (rows: readonly EdgeSum[]): Sums =>
  new Map(
    rows.map((row) => [
      edgeKey(row),
      {
        accesses: row.n,
        allowed: row.allowed,
        first: row.first_at,
        last: row.last_at,
        firstUsed: row.first_allowed,
        lastUsed: row.last_allowed,
        cut: false,
      },
    ]),
  );

const useOf = (closed: PairUse | undefined, open: PairUse | undefined): PairUse =>
  closed && open ? joinUse(closed, open) : (closed ?? open ?? NO_USE);

function join(closed: Sums, open: Sums): Sums {
  const all = new Map(closed);
  for (const [key, use] of open) all.set(key, useOf(closed.get(key), use));
  return all;
}
