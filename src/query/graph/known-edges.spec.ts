import { expect, it } from '@jest/globals';
import { agentsAt, detailsAt, learnEdges, NO_EDGES, shownAs, type KnownEdges, type NewsRow } from './known-edges.js';

const pair = { client: 1, res: 2 } as const;

/** The news of a ledger of 50 entries, in order. */
const NEWS: readonly NewsRow[] = [
  { what: 'seen', ...pair, ix: '10', arrival: '5000' },
  { what: 'scope-granted', ...pair, ix: '10', words: 'read' },
  { what: 'tie', client: 1, ix: '12', idp: 7 },
  { what: 'scope-used', ...pair, ix: '20', words: 'read' },
  { what: 'agent-acts', ...pair, ix: '20', id: 9 },
  {
    what: 'connection',
    ...pair,
    ix: '30',
    state: 1,
    words: 'read write',
    connection: Buffer.from('c'),
    id: null,
    idp: 7,
  },
  { what: 'tie', client: 1, ix: '35', idp: 8 },
  { what: 'scope-granted', ...pair, ix: '40', words: 'write' },
  { what: 'grant', ...pair, ix: '42' },
  { what: 'grant', ...pair, ix: '44' },
];
/** Learns the news in parts that end at the given indexes. */
function learned(...ends: readonly number[]): KnownEdges {
  let known = NO_EDGES;
  let from = 0;
  for (const end of ends) {
    known = learnEdges(
      known,
      NEWS.filter(({ ix }) => Number(ix) >= from && Number(ix) < end),
    );
    from = end;
  }
  return known;
}
const whole = learned(50);

it('the same is known when it is told in parts', () => {
  expect(learned(11, 15, 36, 50)).toEqual(whole);
});

it('grants go on from their number', () => {
  const known = learnEdges(whole, [
    { what: 'grants', ...pair, ix: '44', id: 5 },
    { what: 'grant', ...pair, ix: '60' },
  ]);
  expect([whole, known].map(({ edges }) => edges.get('1 2')!.grants)).toEqual([
    { what: 2, ix: 44 },
    { what: 6, ix: 60 },
  ]);
});

it('what is known stays as it is when news come', () => {
  const before = learned(36);
  const copy = structuredClone(before);
  learnEdges(before, NEWS);
  expect(before).toEqual(copy);
});

it('a new pair of a client brings its ties again, and they are kept once', () => {
  const known = learnEdges(whole, [
    { what: 'tie', client: 1, ix: '12', idp: 7 },
    { what: 'seen', client: 1, res: 3, ix: '55', arrival: '5000' },
  ]);
  expect(known.ties).toEqual(whole.ties);
  expect(known.edges.size).toBe(2);
});

it('a pair that was never seen together is not known', () => {
  expect(learnEdges(NO_EDGES, [{ what: 'scope-used', ...pair, ix: '20', words: 'read' }]).edges.size).toBe(0);
});

it('as of an index is what lies below it', () => {
  const edge = whole.edges.get('1 2')!;
  expect(detailsAt(edge, 11)).toEqual({ state: 'unrecorded', approved: [], granted: ['read'], used: [] });
  expect(detailsAt(edge, 31)).toEqual({
    state: 'created',
    approved: ['read', 'write'],
    granted: ['read'],
    used: ['read'],
  });
  expect(detailsAt(edge, 50)).toEqual({
    state: 'created',
    approved: ['read', 'write'],
    granted: ['read', 'write'],
    used: ['read'],
  });
  expect([agentsAt(edge, 20), agentsAt(edge, 21)]).toEqual([[], [9]]);
  // The name that was tied first is shown, from its tie on.
  expect([12, 13, 50].map((index) => shownAs(whole, 1, index))).toEqual([1, 7, 7]);
});
