const GOLDEN = 0x9e3779b1;
const MIN_BITS = 6;
const HASH_BITS = 32;

/**
 * A hash table's buckets of numbered slots in typed arrays, 8 bytes a slot, where a `Map` spends a hundred and more. What a
 * slot holds, and whether it is the one looked for, is its owner's to say: slots of other hashes share a bucket.
 */
export interface Chains {
  /** First slot of the hash's bucket; -1: none. */
  first(hash: number): number;
  /** The one after it; -1: none. */
  next(slot: number): number;
  /** The slot MUST be below the capacity of the last {@link reset}; there is none before. */
  link(slot: number, hash: number): void;
  /** The slot MUST be linked under that hash. */
  unlink(slot: number, hash: number): void;
  /** Empties every bucket and makes room for so many slots. */
  reset(capacity: number): void;
}

export function createChains(): Chains {
  let bits: number;
  // Slots are held one higher, so that memory nobody has written means none.
  let heads: Uint32Array;
  let nexts: Uint32Array;
  const bucketOf = (hash: number): number => Math.imul(hash, GOLDEN) >>> (HASH_BITS - bits);

  function reset(capacity: number): void {
    bits = Math.max(MIN_BITS, Math.ceil(Math.log2(capacity)));
    heads = new Uint32Array(1 << bits);
    nexts = new Uint32Array(capacity);
  }
  reset(0);

  return {
    first: (hash) => heads[bucketOf(hash)]! - 1,
    next: (slot) => nexts[slot]! - 1,
    link(slot, hash) {
      const bucket = bucketOf(hash);
      nexts[slot] = heads[bucket]!;
      heads[bucket] = slot + 1;
    },
    unlink(slot, hash) {
      const bucket = bucketOf(hash);
      if (heads[bucket] === slot + 1) {
        heads[bucket] = nexts[slot]!;
        return;
      }
      let before = heads[bucket]! - 1;
      while (nexts[before] !== slot + 1) before = nexts[before]! - 1;
      nexts[before] = nexts[slot]!;
    },
    reset,
  };
}
