import { describe, expect, it } from '@jest/globals';
import type { Seq } from './seq.js';
import { isOver, judge, newWait, observe, type NodeRow, type SeenCounter } from './waiting.js';

const L = 4_000;

const seq = (value: number): Seq => BigInt(value) as Seq;
const counting = (id: string, counter: number, leaseMs = L): NodeRow => ({
  id,
  counter: BigInt(counter),
  confirmed: seq(0),
  byTenant: { applied: seq(0), behind: new Map() },
  guards: 0,
  leaseMs,
});
const asRead = (...all: readonly NodeRow[]): ReadonlyMap<string, NodeRow> => new Map(all.map((one) => [one.id, one]));

describe('a row whose counter stands still', () => {
  /** Returns a function that hears a read of one waiter and returns the ids of the stale rows. */
  function given(): (now: number, ...found: readonly NodeRow[]) => readonly string[] {
    const seen = new Map<string, SeenCounter>();
    return (now, ...found) => observe(seen, asRead(...found), now).map(({ id }) => id);
  }

  it('is stale once it has been seen for L, and not before', () => {
    const read = given();
    expect(read(100, counting('a', 1))).toEqual([]);
    expect([
      read(100 + L - 1, counting('a', 1)),
      read(100 + L, counting('a', 1)),
      read(100 + 2 * L, counting('a', 1)),
    ]).toEqual([[], ['a'], ['a']]);
  });

  it('counts anew from the read that shows another counter', () => {
    const read = given();
    read(0, counting('a', 1));
    expect(read(L, counting('a', 2))).toEqual([]);
    expect([read(2 * L - 1, counting('a', 2)), read(2 * L, counting('a', 2))]).toEqual([[], ['a']]);
  });

  it('goes by its own L, and is forgotten with the row', () => {
    const read = given();
    read(0, counting('a', 1), counting('b', 1, 2 * L));
    expect(read(L, counting('a', 1), counting('b', 1, 2 * L))).toEqual(['a']);
    expect(read(L, counting('b', 1, 2 * L))).toEqual([]);
    expect(read(2 * L, counting('a', 1), counting('b', 1, 2 * L))).toEqual(['b']);
  });
});

const row = (confirmed: number, applied: number, behind: Readonly<Record<string, number>> = {}): NodeRow => ({
  id: 'n',
  counter: 0n,
  confirmed: seq(confirmed),
  byTenant: {
    applied: seq(applied),
    behind: new Map(Object.entries(behind).map(([tenant, value]) => [tenant, seq(value)])),
  },
  guards: 0,
  leaseMs: L,
});
const isSettled = (rows: NodeRow, tenant: string | undefined): boolean => {
  const wait = newWait(seq(9), tenant);
  judge(wait, new Map([['n', rows]]));
  return isOver(wait);
};

describe('a wait for a record of one tenant', () => {
  it.each<[string, NodeRow, string | undefined, boolean]>([
    ['is settled by a node that has applied it', row(4, 9, { globex: 4 }), 'acme', true],
    ['is not settled while a guard of the tenant is behind', row(4, 9, { acme: 4 }), 'acme', false],
    ['is not settled by a node that has not applied it', row(8, 8), 'acme', false],
    [
      'is settled when the guards of the tenant have applied it, though they are behind the node',
      row(4, 12, { acme: 9, globex: 4 }),
      'acme',
      true,
    ],
    ['of no tenant that is known waits for all guards', row(4, 9, { globex: 4 }), undefined, false],
    ['is settled by a node of an earlier release when all its guards have applied it', row(9, 0), 'acme', true],
    ['is not settled by a node of an earlier release before', row(8, 0), 'acme', false],
  ])('%s', (_name, rows, tenant, settled) => {
    expect(isSettled(rows, tenant)).toBe(settled);
  });
});
