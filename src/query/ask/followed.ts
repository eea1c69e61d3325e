import { LRUCache } from 'lru-cache';
import type { Snapshot, TableGeneration } from '../../projections/index.js';

/** A value made from all entries below `upTo`. */
export interface UpTo<T> {
  readonly upTo: number;
  readonly known: T;
}

/**
 * Returns what is known at least up to an index, by default the snapshot's. It may hold more than the snapshot
 * contains, so the caller leaves out facts at or above its own index. Undefined if there is too much to remember.
 */
export type Follow<T> = (snapshot: Snapshot, index?: number) => Promise<UpTo<T> | undefined>;

export interface Followed<T> {
  readonly none: T;
  /**
   * Reads what the entries of the snapshot from `from` up to `index` add, and returns it with what is known. Must not
   * change `known`, which other questions read meanwhile. Undefined if there is too much to remember.
   */
  readonly learn: (known: T, snapshot: Snapshot, from: number, index: number) => Promise<T | undefined>;
  readonly sizeOf: (known: T) => number;
  /** Sum of the sizes that a process remembers, over all tenants. What was used longest ago is dropped. */
  readonly maxSize: number;
}

/**
 * Remembers what entries say, and reads only new entries. A question never gets another answer from memory than from
 * the tables: `learn` reads rows that no later entry changes, memory belongs to one tenant and one generation of
 * tables, and it is replaced whole by what a single snapshot has read.
 */
export function createFollowed<T>({ none, learn, sizeOf, maxSize }: Followed<T>): Follow<T> {
  const remembered = new LRUCache<Key, UpTo<T>>({ maxSize, sizeCalculation: ({ known }) => 1 + sizeOf(known) });
  return async (snapshot, index = Number(snapshot.index)) => {
    const key: Key = `${snapshot.tenant} ${snapshot.tables}`;
    const before = remembered.get(key) ?? { upTo: 0, known: none };
    if (before.upTo >= index) return before;
    const known = await learn(before.known, snapshot, before.upTo, index);
    if (known === undefined) {
      remembered.delete(key);
      return undefined;
    }
    const after = { upTo: index, known };
    // Another question may have gone further meanwhile.
    if ((remembered.peek(key)?.upTo ?? 0) < index) remembered.set(key, after);
    return after;
  };
}

type Key = `${string} ${TableGeneration}`;
