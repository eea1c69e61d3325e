import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createInForce, type InForce } from './in-force.js';
import type { NodeRow } from '../../lease/index.js';
import type { Seq } from '../log/records.js';

const L = 4_000;

const row = (confirmed: number, over: Partial<NodeRow> = {}): NodeRow => ({
  id: 'a',
  counter: 1n,
  confirmed: BigInt(confirmed) as Seq,
  byTenant: { applied: BigInt(confirmed) as Seq, behind: new Map() },
  guards: 0,
  leaseMs: L,
  ...over,
});

/** Answers a read of the rows that has begun. */
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

  /** Returns the next read once it has begun. By then everything that follows from the read before it has happened. */
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

describe('a wait between two cycles', () => {
  /** Longer than any spec runs, so that nothing in a spec can have waited for a cycle. */
  const CYCLE_MS = 600_000;
  let rows: NodeRow[];
  let reads: number;
  let reaped: string[];
  let standsStillMs: number;
  let sut: InForce;

  beforeEach(async () => {
    [rows, reads, reaped, standsStillMs] = [[], 0, [], 0];
    sut = createInForce({
      onSettled() {
        for (const until = performance.now() + standsStillMs; performance.now() < until; );
      },
      rows: {
        async read() {
          reads++;
          return rows;
        },
        async reap(id) {
          reaped.push(id);
          rows = rows.filter((one) => one.id !== id);
          return true;
        },
      },
      timeoutMs: CYCLE_MS,
      cycleMs: CYCLE_MS,
      onError(error) {
        throw error;
      },
    });
    await turn();
    expect(reads).toBe(1);
  });
  afterEach(() => sut.stop());

  async function turn(): Promise<void> {
    for (let nth = 0; nth < 10; nth++) await new Promise((resolve) => setImmediate(resolve));
  }

  it('is judged by a read of its own', async () => {
    rows = [row(5)];
    expect(await sut.wait(5n as Seq)).toMatchObject({ nodes: 1 });
    await turn();
    expect(reads).toBe(2);
  });

  it('is judged again when a node leaves, which nobody reads of where nobody waits', async () => {
    sut.wake();
    await turn();
    expect(reads).toBe(1);
    rows = [row(4, { leaseMs: CYCLE_MS })];
    const waiting = sut.wait(5n as Seq);
    await turn();
    rows = [];
    sut.wake();
    expect(await waiting).toEqual({ nodes: 0, guards: 0, expired: 1 });
    expect(reads).toBe(3);
  });

  it('is over when the row that it needs is stale, and not a cycle later', async () => {
    rows = [row(4, { leaseMs: 20 })];
    expect(await sut.wait(5n as Seq)).toEqual({ nodes: 0, guards: 0, expired: 1 });
    expect(reaped).toEqual(['a']);
  });

  it('is over soon when the row became stale while the process stood still', async () => {
    rows = [row(4, { leaseMs: 20 })];
    standsStillMs = 50;
    const waits = [sut.wait(4n as Seq), sut.wait(5n as Seq)];
    expect(await Promise.all(waits)).toEqual([
      { nodes: 1, guards: 0, expired: 0 },
      { nodes: 0, guards: 0, expired: 1 },
    ]);
  });

  it('is refused at once when the process stops', async () => {
    rows = [row(4)];
    const refused = sut.wait(5n as Seq).catch((error: unknown) => error);
    await turn();
    await sut.stop();
    expect(await refused).toMatchObject({ code: 'not-confirmed' });
  });
});
