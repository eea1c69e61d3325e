import { describe, expect, it } from '@jest/globals';
import { pauseAfter } from './backoff.js';

const ALMOST_ONE = 1 - Number.EPSILON;

describe('the pause after a failed attempt', () => {
  it('lies anywhere below a bound that doubles, up to four hours', () => {
    expect([1, 2, 3, 11, 12, 15].map((attempts) => pauseAfter(attempts, 0.5))).toEqual([
      5_000, 10_000, 20_000, 5_120_000, 7_200_000, 7_200_000,
    ]);
    expect([1, 4, 14].map((attempts) => pauseAfter(attempts, 0))).toEqual([0, 0, 0]);
    expect(pauseAfter(1, ALMOST_ONE)).toBeLessThan(10_000);
  });

  it('is at least as long as the receiver asks for', () => {
    expect(pauseAfter(1, 0, 60_000)).toBe(60_000);
    expect(pauseAfter(10, 0.5, 1_000)).toBe(2_560_000);
  });
});
