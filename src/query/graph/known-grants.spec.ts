import { expect, it } from '@jest/globals';
import { learnEdges, noEdges, type KnownEdges, type NewsRow } from './known-edges.js';
import { boundGrants, grantsAt, grantsBetween, learnEarlierGrants, roomForGrants } from './known-grants.js';

const row = (what: NewsRow['what'], ix: number): NewsRow => ({
  what,
  client: 1,
  res: 2,
  ix: String(ix),
  id: null,
  words: null,
  state: null,
  connection: null,
  idp: null,
  arrival: '5000',
});

/** A pair with 5 grants at index 100 and one more at each of the indexes. */
function knownOf(indexes: readonly number[]): KnownEdges {
  const known = noEdges();
  learnEdges(known, [row(0, 1)], 100);
  known.edges.get('1 2')!.grants.before = 5;
  learnEdges(
    known,
    indexes.map((ix) => row(6, ix)),
    indexes.at(-1)! + 1,
  );
  return known;
}
const edgeOf = (known: KnownEdges) => known.edges.get('1 2')!;

it('counts on from what there was', () => {
  const known = knownOf([100, 105, 110]);
  expect([100, 101, 105, 106, 110, 111].map((index) => grantsAt(edgeOf(known), index))).toEqual([5, 6, 6, 7, 7, 8]);
  expect(grantsBetween(edgeOf(known), 101, 111)).toEqual({ client: 1, res: 2, grants: 2, first: 105, last: 110 });
  expect([grantsBetween(edgeOf(known), 106, 110), grantsBetween(edgeOf(known), 111, 200)]).toEqual([
    undefined,
    undefined,
  ]);
});

it('goes back, and is the same above', () => {
  const known = knownOf([100, 105]);
  learnEarlierGrants(
    known,
    [
      { client: 1, res: 2, ix: 90 },
      { client: 1, res: 2, ix: 95 },
      { client: 3, res: 4, ix: 96 },
    ],
    90,
  );
  expect([
    known.grantsFrom,
    grantsAt(edgeOf(known), 90),
    grantsAt(edgeOf(known), 96),
    grantsAt(edgeOf(known), 106),
  ]).toEqual([90, 3, 5, 7]);
  expect(grantsBetween(edgeOf(known), 90, 101)).toMatchObject({ grants: 3, first: 90, last: 100 });
});

it('forgets the earlier ones where there are too many, and counts them', () => {
  const known = knownOf(Array.from({ length: 1_500 }, (_, nth) => 100 + nth));
  expect(roomForGrants(known)).toBe(-500);
  boundGrants(known);
  expect([known.grantsFrom, roomForGrants(known)]).toEqual([850, 250]);
  expect([850, 1_600].map((index) => grantsAt(edgeOf(known), index))).toEqual([755, 1_505]);
});
