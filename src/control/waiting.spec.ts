import { describe, expect, it } from '@jest/globals';
import { readAcknowledgement, type NodeRow } from './node-rows.pg.js';
import type { Seq } from './records.js';
import { hear, isOver, judge, newWait } from './waiting.js';

const seq = (value: number): Seq => BigInt(value) as Seq;
const row = (confirmed: number, applied: number, behind: Readonly<Record<string, number>> = {}): NodeRow => ({
  id: 'n',
  counter: 0n,
  confirmed: seq(confirmed),
  byTenant: { applied: seq(applied), behind: new Map(Object.entries(behind).map(([tenant, value]) => [tenant, seq(value)])) },
  guards: 0,
  leaseMs: 4_000,
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
    ['is settled when the guards of the tenant have applied it, though they are behind the node', row(4, 12, { acme: 9, globex: 4 }), 'acme', true],
    ['of no tenant that is known waits for all guards', row(4, 9, { globex: 4 }), undefined, false],
    ['is settled by a node of an earlier release when all its guards have applied it', row(9, 0), 'acme', true],
    ['is not settled by a node of an earlier release before', row(8, 0), 'acme', false],
  ])('%s', (_name, rows, tenant, settled) => {
    expect(isSettled(rows, tenant)).toBe(settled);
  });

  it('hears of it in a notification', () => {
    const wait = newWait(seq(9), 'acme');
    judge(wait, new Map([['n', row(4, 8)]]));
    hear(wait, readAcknowledgement('n 4 2 9 {"acme": "8"}')!);
    expect(isOver(wait)).toBe(false);
    hear(wait, readAcknowledgement('n 4 2 9 {"globex": "4"}')!);
    expect([isOver(wait), wait.guards]).toEqual([true, 2]);
  });

  it('takes the notification of an earlier release for what it says, and nothing else for one', () => {
    expect(readAcknowledgement('n 4 2')).toEqual({ id: 'n', confirmed: 4n, guards: 2, byTenant: { applied: 0n, behind: new Map() } });
    expect([readAcknowledgement(''), readAcknowledgement('n 4'), readAcknowledgement('n 4 2 9')]).toEqual([undefined, undefined, undefined]);
  });
});
