import { describe, expect, it } from '@jest/globals';
import { createSeedProgress } from './seed-progress.js';

/** Shows how many events were sent by which second, and returns what was written. */
function written(isTTY: boolean, sent: readonly (readonly [seconds: number, sent: number])[]): string[] {
  const lines: string[] = [];
  let nowMs = 0;
  const progress = createSeedProgress({ isTTY, write: (text) => lines.push(text) }, () => nowMs);
  for (const [seconds, count] of sent) {
    nowMs = seconds * 1000;
    progress.show({ sent: count, events: 300_000, at: Date.UTC(2026, 10, 24) / 1000 });
  }
  progress.end();
  return lines;
}

/** The start of the database takes nine seconds and the first batch has 7 events; then the rate is 2,000 a second. */
const SLOW_START = [[9, 7], ...Array.from({ length: 12 }, (_, n) => [10 + n, 2_000 * (n + 1)] as const)] as const;

describe('the progress of a seeding', () => {
  it('estimates by the last seconds: a slow start does not count', () => {
    const lines = written(false, SLOW_START);
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines.filter((one) => one.includes('left')))
      expect(line).toMatch(/ {2}3 min left {2}2026-11-24\n$/);
    expect(lines.some((line) => line.includes('left'))).toBe(true);
  });

  it('says nothing of the time that is left before it knows a rate', () => {
    expect(written(true, [[9, 7]])[0]).not.toContain('left');
  });

  it('shows the end whenever it comes', () => {
    expect(written(false, [[0.1, 300_000]])).toEqual([expect.stringContaining('100 %  300,000 of 300,000 events')]);
  });
});
