import { createHash } from 'node:crypto';

/** Random draws that are the same for the same seed on every machine. */
export interface Random {
  /** Draws from 0 (included) to 1 (excluded). */
  next(): number;
  /** Draws a whole number from 0 (included) to `size` (excluded). */
  below(size: number): number;
  chance(probability: number): boolean;
  /** Draws a whole number from 0 (included) to `size` (excluded). Low numbers are far more frequent, the more so the higher `power` is. */
  skewed(size: number, power?: number): number;
  pick<T>(list: readonly T[]): T;
  /** Draws hexadecimal digits, eight a draw. */
  hex(digits: number): string;
}

/**
 * Creates the generator: sfc32, 128 bits of state, a few nanoseconds a draw. A digest for each draw would cost more than the event itself.
 */
export function createRandom(seed: string): Random {
  const digest = createHash('sha256').update(seed).digest();
  let a = digest.readInt32LE(0);
  let b = digest.readInt32LE(4);
  let c = digest.readInt32LE(8);
  let counter = digest.readInt32LE(12);
  const draw = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 0;
  };
  const next = (): number => draw() / 2 ** 32;
  const below = (size: number): number => Math.floor(next() * size);
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    skewed: (size, power = 3) => Math.floor(next() ** power * size),
    pick: (list) => list[below(list.length)]!,
    hex(digits) {
      let text = '';
      while (text.length < digits) text += draw().toString(16).padStart(8, '0');
      return text.slice(0, digits);
    },
  };
}
