import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createInForce, type InForce } from './in-force.js';
import type { NodeRow } from './node-rows.pg.js';
import type { Seq } from './records.js';

const L = 4_000;

const row = (confirmed: number, over: Partial<NodeRow> = {}): NodeRow => ({ id: 'a', counter: 1n, confirmed: BigInt(confirmed) as Seq, byTenant: { applied: BigInt(confirmed) as Seq, behind: new Map() }, guards: 0, leaseMs: L, ...over });

/** A read of the rows that has begun and that the spec answers. */
type HeldRead = (rows: readonly NodeRow[]) => void;

describe('waiting until a record is in force', () => {
  let now: number;
  let reads: HeldRead[];
  let looked: number;
  let arrived: () => void;
  let reaped: string[];
  let sut: InForce;

  beforeEach(() => {
    [now, reads, looked, reaped, arrived] = [1_000, [], 0, [], () => undefined];
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    sut = createInForce({
      rows: {
        read: () =>
          new Promise((resolve) => {
            reads.push(resolve);
            arrived();
          }),
        reap: async (id) => reaped.push(id) > 0,
      },
      timeoutMs: 60_000,
      cycleMs: 1,
      onError(error) {
        throw error;
      },
    });
  });
  afterEach(async () => {
    const stopped = sut.stop();
    for (const answer of reads) answer([]);
    await stopped;
    jest.restoreAllMocks();
  });

  /** The next read, once it has begun: whatever follows from the one before it has happened by then. */
  async function nextRead(): Promise<HeldRead> {
    while (reads.length === looked) {
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
    }
    return reads[looked++]!;
  }

  it('a wait is not judged by a read that began before it: that one may not show a node that answers without the record', async () => {
    const before = await nextRead();
    const settled: string[] = [];
    const waiting = sut.wait(5n as Seq).then((confirmed) => settled.push(JSON.stringify(confirmed)));
    before([]);
    const after = await nextRead();
    expect(settled).toEqual([]);
    after([row(4)]);
    const last = await nextRead();
    expect(settled).toEqual([]);
    last([row(5)]);
    await waiting;
    expect(settled).toEqual([JSON.stringify({ nodes: 1, guards: 0, expired: 0 })]);
  });

  it('a counter stands still from the reply that first showed it, however long that took', async () => {
    const slow = await nextRead();
    now += L;
    slow([row(0)]);
    const second = await nextRead();
    now += L - 1;
    second([row(0)]);
    const third = await nextRead();
    expect(reaped).toEqual([]);
    now += 1;
    third([row(0)]);
    await nextRead();
    expect(reaped).toEqual(['a']);
  });
});
