import { BLOCK_BITS, type EdgeSum, readClosedEdges, readOpenEdges, type Snapshot } from '../../projections/index.js';
import { createFollowed, type Follow } from '../ask/followed.js';
import type { EdgeFilter } from './edges.pg.js';
import { edgeKey } from './known-edges.js';
import { joinUse, NO_USE, type PairUse } from './pairs.js';

/** Sums of pairs that a process remembers, over all tenants: about 200 bytes each. */
const MAX_REMEMBERED = 60_000;

export type UseSums = ReadonlyMap<string, PairUse>;

/** Follows the sums of all pairs over closed blocks, which never change. */
export const createFollowUses = (): Follow<UseSums> =>
  createFollowed<UseSums>({
    none: new Map(),
    sizeOf: ({ size }) => size,
    maxSize: MAX_REMEMBERED,
    learn: async (_known, snapshot, _from, index) =>
      sumsOf(await readClosedEdges(snapshot, BigInt(index) >> BLOCK_BITS)),
  });

/** Sums attributed uses by pair as of the snapshot, for the pairs that the filter leaves. */
export async function readUses(
  follow: Follow<UseSums>,
  snapshot: Snapshot,
  filter: EdgeFilter,
): Promise<(key: string) => PairUse> {
  const block = snapshot.index >> BLOCK_BITS;
  const start = Number(block << BLOCK_BITS);
  // Filtered sums are cheap to read, and sums as of the past are rarely asked for twice.
  const isFollowed = snapshot.present && !filter.clients && !filter.resources;
  const followed = isFollowed ? await follow(snapshot, start) : undefined;
  const [closed, open] = await Promise.all([
    followed?.upTo === start ? followed.known : readClosedEdges(snapshot, block, filter).then(sumsOf),
    readOpenEdges(snapshot, block, filter).then(sumsOf),
  ]);
  return (key) => useOf(closed.get(key), open.get(key));
}

const sumsOf = (rows: readonly EdgeSum[]): UseSums =>
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
