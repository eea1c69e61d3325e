import { describe, expect, it } from '@jest/globals';
import { createProgress, type Step } from './progress.js';

/** Shows each step at its second, and returns what was written. */
function written(isTTY: boolean, steps: readonly (readonly [seconds: number, step: Step])[]): string[] {
  const lines: string[] = [];
  let nowMs = 0;
  const progress = createProgress({ isTTY, write: (text) => lines.push(text) }, () => nowMs);
  for (const [seconds, step] of steps) {
    nowMs = seconds * 1000;
    progress.show(step);
  }
  progress.end();
  return lines;
}
const counted = (done: bigint, total: bigint, note?: string): Step => ({
  done,
  total,
  ...(note === undefined ? {} : { note }),
});
const of300k = (done: number) => counted(BigInt(done), 300_000n, '2026-11-24');

/** The start of the database takes nine seconds and the first batch has 7 events; then the rate is 2,000 a second. */
const SLOW_START = [
  [9, of300k(7)],
  ...Array.from({ length: 12 }, (_, n) => [10 + n, of300k(2_000 * (n + 1))] as const),
] as const;

describe('the progress of a command', () => {
  it('tells how far it is, how fast, and how long it takes', () => {
    const lines = written(false, [
      [10, counted(0n, 1_000_000n)],
      [20, counted(250_000n, 1_000_000n)],
      // The rate covers the last ten seconds, which are slower.
      [30, counted(300_000n, 1_000_000n)],
      // The total has grown meanwhile.
      [40.001, counted(300_001n, 100_000_000n)],
    ]);
    expect(lines).toEqual([
      `[${' '.repeat(24)}] 0 %  0 of 1,000,000 events\n`,
      `[######${' '.repeat(18)}] 25 %  250,000 of 1,000,000 events  25,000/s  30 s left\n`,
      `[#######${' '.repeat(17)}] 30 %  300,000 of 1,000,000 events  5,000/s  3 min left\n`,
      `[${' '.repeat(24)}] 0 %  300,001 of 100,000,000 events\n`,
    ]);
  });

  it('estimates by the last seconds: a slow start does not count', () => {
    const lines = written(false, SLOW_START);
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines.filter((one) => one.includes('left')))
      expect(line).toMatch(/ {2}3 min left {2}2026-11-24\n$/);
    expect(lines.some((line) => line.includes('left'))).toBe(true);
    const hours = written(false, [
      [0, counted(0n, 1_000_000n)],
      [10, counted(1_000n, 1_000_000n)],
    ]);
    expect(hours).toEqual([expect.stringMatching(/100\/s {2}2 h 47 min left\n$/)]);
  });

  it('says nothing of the time that is left before it knows a rate', () => {
    expect(written(true, [[9, of300k(7)]])[0]).not.toContain('left');
  });

  it('shows the end whenever it comes, once', () => {
    expect(written(false, [[0.1, of300k(300_000)]])).toEqual([
      expect.stringContaining('100 %  300,000 of 300,000 events'),
    ]);
    expect(
      written(false, [
        [0, counted(0n, 10n)],
        [1, counted(10n, 10n)],
        [1.1, counted(10n, 11n)],
        [1.2, counted(11n, 11n)],
      ]),
    ).toEqual([`[${'#'.repeat(24)}] 100 %  10 of 10 events  10/s\n`]);
    expect(written(false, [[0, counted(0n, 0n)]])).toEqual([`[${'#'.repeat(24)}] 100 %  0 of 0 events\n`]);
  });

  it('shows a step that cannot be counted at once, and redraws the line of a terminal', () => {
    const steps = [
      [0, counted(0n, 10n)],
      [0.1, 'indexing …'],
      [0.2, 'indexing …'],
      [0.25, 'comparing …'],
    ] as const;
    expect(written(false, steps)).toEqual(['indexing …\n', 'comparing …\n']);
    expect(written(true, steps)).toEqual(['\rindexing …\u001b[K', '\rcomparing …\u001b[K', '\n']);
  });
});
