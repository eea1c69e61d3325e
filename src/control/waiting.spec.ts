import { describe, expect, it } from '@jest/globals';
import type { NodeRow } from './node-rows.pg.js';
import type { Seq } from './records.js';
import { observe, type SeenCounter } from './waiting.js';

const L = 4_000;

const row = (id: string, counter: number, leaseMs = L): NodeRow => ({ id, counter: BigInt(counter), confirmed: 0n as Seq, guards: 0, leaseMs });
const rows = (...all: readonly NodeRow[]): ReadonlyMap<string, NodeRow> => new Map(all.map((one) => [one.id, one]));

describe('a row whose counter stands still', () => {
  /** Ids of the rows that are stale, by the reads that one waiter has heard. */
  function given(): (now: number, ...found: readonly NodeRow[]) => readonly string[] {
    const seen = new Map<string, SeenCounter>();
    return (now, ...found) => observe(seen, rows(...found), now).map(({ id }) => id);
  }

  it('is stale once it has been seen for L, and not before', () => {
    const read = given();
    expect(read(100, row('a', 1))).toEqual([]);
    expect([read(100 + L - 1, row('a', 1)), read(100 + L, row('a', 1)), read(100 + 2 * L, row('a', 1))]).toEqual([[], ['a'], ['a']]);
  });

  it('counts anew from the read that shows another counter', () => {
    const read = given();
    read(0, row('a', 1));
    expect(read(L, row('a', 2))).toEqual([]);
    expect([read(2 * L - 1, row('a', 2)), read(2 * L, row('a', 2))]).toEqual([[], ['a']]);
  });

  it('goes by its own L, and is forgotten with the row', () => {
    const read = given();
    read(0, row('a', 1), row('b', 1, 2 * L));
    expect(read(L, row('a', 1), row('b', 1, 2 * L))).toEqual(['a']);
    expect(read(L, row('b', 1, 2 * L))).toEqual([]);
    expect(read(2 * L, row('a', 1), row('b', 1, 2 * L))).toEqual(['b']);
  });
});
