import { describe, expect, it } from '@jest/globals';
import { rangesOf, type Archived } from './archived.pg.js';

const file = (first: number, end: number) => ({ first: BigInt(first), end: BigInt(end) }) as Archived['uses'][number];
const ranges = (end: number, uses: readonly (readonly [number, number])[], index: number): number[][] => {
  const archived = { end: BigInt(end), uses: uses.map(([first, last]) => file(first, last)), late: [], path: () => '' };
  return [...rangesOf(archived, BigInt(index))].map(({ first, end: last }) => [Number(first), Number(last)]);
};

describe('the ranges that a file of rows is read in', () => {
  it.each<[string, number, [number, number][], number, number[][]]>([
    ['no archive', 0, [], 10, [[0, 10]]],
    ['nothing at all', 0, [], 0, []],
    [
      'a full segment and a tail',
      65_536,
      [[0, 65_536]],
      65_540,
      [
        [0, 16_384],
        [16_384, 32_768],
        [32_768, 49_152],
        [49_152, 65_536],
        [65_536, 65_540],
      ],
    ],
    [
      'several segments in one range',
      9,
      [
        [0, 3],
        [3, 6],
        [6, 9],
      ],
      12,
      [
        [0, 9],
        [9, 12],
      ],
    ],
    ['a segment that the window leaves out', 131_072, [[81_920, 98_304]], 131_072, [[81_920, 98_304]]],
    [
      'an index within the archive',
      65_536,
      [[0, 65_536]],
      20_000,
      [
        [0, 16_384],
        [16_384, 20_000],
      ],
    ],
    [
      'a long tail',
      5,
      [[0, 5]],
      40_000,
      [
        [0, 5],
        [5, 16_384],
        [16_384, 32_768],
        [32_768, 40_000],
      ],
    ],
  ])('%s', (_what, end, uses, index, expected) => {
    expect(ranges(end, uses, index)).toEqual(expected);
  });
});
