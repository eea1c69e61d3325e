import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MAX_RETRY_AFTER_MS, backoffMs, parseRetryAfter } from './backoff.js';

describe('backoffMs', () => {
  it('doubles up to the cap, spread over the upper half', () => {
    const waits = (random: number) =>
      [1, 2, 3, 4, 5, 60].map((failures) =>
        backoffMs(failures, { firstMs: 100, maxMs: 1_000 }, undefined, () => random),
      );
    expect(waits(0)).toEqual([50, 100, 200, 400, 500, 500]);
    expect(waits(1)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  it('is never less than what the other side asked for, within reason', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.nat(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (failures, asked, random) => {
          const wait = backoffMs(failures, {}, asked, () => random);
          expect(wait).toBeGreaterThanOrEqual(Math.min(asked, MAX_RETRY_AFTER_MS));
          expect(wait).toBeLessThanOrEqual(MAX_RETRY_AFTER_MS * 1.1);
        },
      ),
    );
  });
});

describe('parseRetryAfter (RFC 9110, 10.2.3)', () => {
  const now = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT');
  it.each<[string | null, number | undefined]>([
    ['0', 0],
    ['120', 120_000],
    ['Wed, 21 Oct 2026 07:28:30 GMT', 30_000],
    ['Wed, 21 Oct 2026 07:27:00 GMT', 0],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['2026-10-21', undefined],
    ['', undefined],
    [null, undefined],
  ])('%p is %p', (value, ms) => expect(parseRetryAfter(value, now)).toBe(ms));
});
