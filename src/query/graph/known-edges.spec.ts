import { expect, it } from '@jest/globals';
import { agentsAt, detailsAt, learnEdges, noEdges, shownAs, type KnownEdges, type NewsRow } from './known-edges.js';

const row = (what: NewsRow['what'], ix: number, over: Partial<NewsRow> = {}): NewsRow => ({
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
  ...over,
});

/** The news of a ledger of 50 entries, in order. */
const NEWS = [
  row(0, 10),
  row(1, 10, { words: 'read' }),
  row(5, 12, { res: null, idp: 7 }),
  row(2, 20, { words: 'read' }),
  row(3, 20, { id: 9 }),
  row(4, 30, { state: 1, words: 'read write', connection: Buffer.from('c'), idp: 7 }),
  row(5, 35, { res: null, idp: 8 }),
  row(1, 40, { words: 'write' }),
  row(6, 42),
  row(6, 44),
];
/** Selects news between two indexes, as `edge-news.sql` does. */
const between = (from: number, to: number): NewsRow[] =>
  NEWS.filter(({ what, ix }) => Number(ix) >= from && Number(ix) < to && (what !== 6 || from > 0));

function learned(...asked: readonly (readonly [from: number, to: number])[]): KnownEdges {
  const known = noEdges();
  for (const [from, to] of asked) learnEdges(known, between(from, to), to);
  return known;
}

/** Two reads: the first read of a tenant brings no grants. */
const whole = learned([0, 15], [15, 50]);

it.each<[string, KnownEdges]>([
  ['in parts', learned([0, 15], [15, 36], [36, 50])],
  ['by two questions of one moment', learned([0, 15], [15, 50], [15, 50])],
  ['by two questions, of which the one that sees less is answered first', learned([0, 15], [15, 25], [15, 50])],
  ['by two questions, of which the one that sees more is answered first', learned([0, 15], [15, 50], [15, 25])],
])('the same is known when it is told %s', (_how, known) => {
  expect(known).toEqual(whole);
});

it('a new pair of a client brings its ties again, and they are kept once', () => {
  const known = learned([0, 50]);
  learnEdges(known, [row(5, 12, { res: null, idp: 7 }), row(0, 55, { res: 3 })], 60);
  expect(known.ties).toEqual(whole.ties);
  expect(known.edges.size).toBe(2);
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
