import { describe, expect, it } from '@jest/globals';
import { createChains, type Chains } from './chains.js';

/** Lists the slots of a hash's bucket. */
function bucket(chains: Chains, hash: number): number[] {
  const found: number[] = [];
  for (let slot = chains.first(hash); slot >= 0; slot = chains.next(slot)) found.push(slot);
  return found.toSorted((one, other) => one - other);
}

describe('chains', () => {
  it('are empty at first', () => {
    const sut = createChains();
    for (const hash of [0, 1, 0xffff_ffff]) expect(sut.first(hash)).toBe(-1);
  });

  it.each([1, 63, 64, 65, 1_000])(
    'with room for %i slots find all of one hash, and each other hash without them',
    (capacity) => {
      const sut = createChains();
      sut.reset(capacity);
      for (let slot = 0; slot < capacity; slot++) sut.link(slot, slot % 7);
      const all = Array.from({ length: 7 }, (_, hash) => bucket(sut, hash)).flat();
      expect(new Set(all).size).toBe(capacity);
      for (let slot = 0; slot < capacity; slot++) expect(bucket(sut, slot % 7)).toContain(slot);
    },
  );

  it('lose a slot from the front, the middle and the end, and no other', () => {
    for (const gone of [0, 1, 2]) {
      const sut = createChains();
      sut.reset(3);
      for (const slot of [0, 1, 2]) sut.link(slot, 5);
      sut.unlink(gone, 5);
      expect(bucket(sut, 5)).toEqual([0, 1, 2].filter((slot) => slot !== gone));
    }
  });

  it('are empty after a reset', () => {
    const sut = createChains();
    sut.reset(3);
    sut.link(2, 5);
    sut.reset(3);
    expect(sut.first(5)).toBe(-1);
  });
});
