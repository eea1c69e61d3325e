import { describe, expect, it } from '@jest/globals';
import { positionAfter, sortLines, type Line } from './lines.js';

const use = (atMs: number, client: number, outcome = 1): Line => ({
  kind: 'use',
  atMs,
  row: { client, outcome, res: null } as Extract<Line, { kind: 'use' }>['row'],
});
const rule = (atMs: number, name: string): Line => ({
  kind: 'rule',
  atMs,
  row: { rule: name } as Extract<Line, { kind: 'rule' }>['row'],
});
const named = (lines: readonly Line[]): string[] =>
  lines.map((line) =>
    line.kind === 'use'
      ? `use ${line.row.client} ${line.row.outcome}`
      : line.kind === 'rule'
        ? line.row.rule
        : line.kind,
  );

describe('lines', () => {
  it('stand newest first; those of one moment by kind, then in their order, runs by what they are of', () => {
    const lines = [
      use(5_000, 2),
      use(5_000, 1, 2),
      use(5_000, 1),
      rule(5_000, 'b'),
      rule(5_000, 'a'),
      rule(6_000, 'c'),
    ];
    expect(named(sortLines(lines))).toEqual(['c', 'b', 'a', 'use 1 1', 'use 1 2', 'use 2 1']);
  });
});

describe('the position after a line', () => {
  const bounds = { cuts: [51, 121], unit: 100, top: 1_000 };

  it('counts the lines of its moment', () => {
    const lines = [rule(60_500, 'a'), rule(60_000, 'b'), use(60_000, 1), use(60_000, 2), use(10_000, 1)];
    expect([0, 1, 2, 3, 4].map((nth) => positionAfter(lines, nth, bounds).shown)).toEqual([1, 1, 2, 3, 1]);
  });

  it.each([
    // second, upper bound of the segment: a cut, the end of the unit, or the top of the page.
    [130, 200],
    [120, 121],
    [110, 121],
    [100, 121],
    [99, 100],
    [51, 100],
    [50, 51],
    [10, 51],
  ])('at second %d has the upper bound %d', (second, top) => {
    expect(positionAfter([use(second * 1_000, 1)], 0, bounds)).toEqual({ atMs: second * 1_000, shown: 1, top });
    expect(positionAfter([rule(second * 1_000 + 999, 'a')], 0, bounds).top).toBe(top);
  });

  it('is not above the page', () => expect(positionAfter([use(130_000, 1)], 0, { ...bounds, top: 140 }).top).toBe(140));
});
