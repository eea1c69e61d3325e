import { describe, expect, it } from '@jest/globals';
import { hear, isOver, judge, newWait, type NodeRow, type Seq } from '../../lease/index.js';
import { readAcknowledgement } from './node-rows.pg.js';

const seq = (value: number): Seq => BigInt(value) as Seq;

describe('the notification of what a node and its guards have applied', () => {
  it('is heard by a wait, for the guards of its tenant', () => {
    const row: NodeRow = {
      id: 'n',
      counter: 1n,
      confirmed: seq(4),
      byTenant: { applied: seq(9), behind: new Map([['acme', seq(8)]]) },
      guards: 2,
      leaseMs: 4_000,
    };
    const wait = newWait(seq(9), 'acme');
    judge(wait, new Map([['n', row]]));
    hear(wait, readAcknowledgement('n 4 2 9 {"acme": "8"}')!);
    expect(isOver(wait)).toBe(false);
    hear(wait, readAcknowledgement('n 4 2 9 {"globex": "4"}')!);
    expect([isOver(wait), wait.guards]).toEqual([true, 2]);
  });

  it('counts for what it says if an earlier release sent it, and other text is none', () => {
    expect(readAcknowledgement('n 4 2')).toEqual({
      id: 'n',
      confirmed: 4n,
      guards: 2,
      byTenant: { applied: 0n, behind: new Map() },
    });
    for (const text of ['', 'n 4', 'n 4 2 9']) expect(readAcknowledgement(text)).toBeUndefined();
  });
});
