/** Small, so that a run can be told by its seed. What the machine does in between is not repeated, of course. */
export interface Random {
  /** 0 ≤ n < bound, whole. */
  below(bound: number): number;
  between(from: number, to: number): number;
  pick<T>(from: readonly T[]): T;
  chance(percent: number): boolean;
  shuffle<T>(items: readonly T[]): T[];
}

/** mulberry32. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number): number => Math.floor(next() * bound);
  return {
    below,
    between: (from, to) => from + next() * (to - from),
    pick: (from) => from[below(from.length)]!,
    chance: (percent) => next() * 100 < percent,
    shuffle(items) {
      const shuffled = [...items];
      for (let at = shuffled.length - 1; at > 0; at -= 1) {
        const other = below(at + 1);
        [shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!];
      }
      return shuffled;
    },
  };
}
