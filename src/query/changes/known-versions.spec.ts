import { expect, it } from '@jest/globals';
import {
  areKnown,
  forgetVersions,
  grownBetween,
  learnEarlierVersions,
  learnVersions,
  MAX_VERSIONS_KNOWN,
  noVersions,
  type VersionRow,
} from './known-versions.js';

const row = (ix: number, before: number | null, added: string | null, usr = 1, client = 2, res = 3): VersionRow => ({
  usr,
  client,
  res,
  ix,
  before,
  added,
});
const between = (since: number, until: number, clients?: readonly number[], resources?: readonly number[]) => ({
  since: { index: BigInt(since) },
  until: { index: BigInt(until) },
  clients,
  resources,
});

function knownOf(rows: readonly VersionRow[]) {
  const known = noVersions(10);
  learnVersions(known, rows, 100);
  return known;
}

it('tells what grants hold more than they did, by pair', () => {
  const known = knownOf([row(20, 5, 'a'), row(30, 20, 'b c'), row(35, 6, 'a', 9), row(36, 7, 'x', 9, 4)]);
  expect(grownBetween(known, between(10, 100))).toEqual([
    { client: 2, res: 3, grants: 2, first: 20, last: 35, added: ['a', 'b', 'c', 'a'] },
    { client: 4, res: 3, grants: 1, first: 36, last: 36, added: ['x'] },
  ]);
  expect(grownBetween(known, between(21, 35))).toEqual([
    { client: 2, res: 3, grants: 1, first: 30, last: 30, added: ['b', 'c'] },
  ]);
  expect(grownBetween(known, between(10, 100, [4]))).toHaveLength(1);
  expect(grownBetween(known, between(10, 100, undefined, [4]))).toEqual([]);
});

it('tells also what a grant gained that appeared in between, and nothing of a first version or of one that holds no more', () => {
  const known = knownOf([row(20, 15, 'a'), row(21, null, 'a', 5), row(22, 3, null, 6), row(23, 20, 'b')]);
  for (const since of [12, 16])
    expect(grownBetween(known, between(since, 100))).toEqual([
      { client: 2, res: 3, grants: 1, first: 20, last: 23, added: ['a', 'b'] },
    ]);
  expect(grownBetween(known, between(21, 23))).toEqual([]);
});

it('takes nothing twice, in whatever order it is read', () => {
  const known = knownOf([row(20, 5, 'a')]);
  learnVersions(known, [row(20, 5, 'a'), row(110, 20, 'b')], 120);
  learnVersions(known, [row(20, 5, 'a')], 100);
  learnEarlierVersions(known, [row(4, 1, 'z'), row(20, 5, 'a')], 3);
  learnEarlierVersions(known, [row(8, 1, 'y')], 7);
  expect([known.from, known.upTo, known.versions.map(({ ix }) => ix)]).toEqual([3, 120, [4, 20, 110]]);
  expect([areKnown(known, 3, 120), areKnown(known, 2, 120), areKnown(known, 3, 121)]).toEqual([true, false, false]);
  forgetVersions(known, 119);
  expect(known.versions).toHaveLength(3);
  forgetVersions(known, 130);
  expect([known.from, known.upTo, known.versions]).toEqual([130, 130, []]);
});

it('forgets the earlier ones where there are too many', () => {
  const known = knownOf([]);
  learnVersions(
    known,
    Array.from({ length: MAX_VERSIONS_KNOWN + 1 }, (_, nth) => row(100 + nth, 1, 'a', nth)),
    101 + MAX_VERSIONS_KNOWN,
  );
  expect(known.versions.length).toBeLessThanOrEqual(MAX_VERSIONS_KNOWN);
  expect(known.versions[0]!.ix).toBe(known.from);
});
