const GOLDEN = 0x9e3779b1;
const MIN_BITS = 6;
const HASH_BITS = 32;

/**
 * The buckets of a hash table, as chains of numbered slots in typed arrays. A slot takes 8 bytes; an entry of a `Map` takes more
 * than a hundred. Slots of different hashes may share a bucket, so the owner must compare what each slot holds.
 */
export interface Chains {
  /** Returns the first slot of the hash's bucket; -1 if there is none. */
  first(hash: number): number;
  /** Returns the next slot of the bucket; -1 if there is none. */
  next(slot: number): number;
  /** Adds a slot to the bucket of the hash. The slot MUST be below the capacity of the last {@link reset}, so call `reset` first. */
  link(slot: number, hash: number): void;
  /** Removes a slot, which MUST be linked under that hash. */
  unlink(slot: number, hash: number): void;
  /** Empties every bucket and makes room for `capacity` slots. */
  reset(capacity: number): void;
}

export function createChains(): Chains {
  let bits: number;
  // Slots are stored plus one, so that zeroed memory means "none".
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
