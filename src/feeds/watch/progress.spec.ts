import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Confirmed, Seq, Settled } from '../../control/index.js';
import { createGuardReports, readReport, type Held } from './guard-reports.js';
import { createProgress, type Progress } from './progress.js';

const seq = (value: number): Seq => BigInt(value) as Seq;
const TENANT = 't';
const CONFIRMED: Confirmed = { nodes: 1, guards: 0, expired: 0 };

describe('how records come into force', () => {
  interface Wait {
    readonly settle: (settled: Settled) => void;
    readonly end: (confirmed: Confirmed) => void;
    readonly fail: () => void;
  }
  let waits: Map<Seq, Wait>;
  let sut: Progress;
  let now: number;
  beforeEach(() => {
    [waits, now] = [new Map(), 1_000];
    sut = createProgress({
      watchInForce: (of, _, settle) =>
        new Promise((end, reject) => waits.set(of, { settle, end, fail: () => reject(new Error('not-confirmed')) })),
      onStep: () => undefined,
      now: () => now,
    });
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const follow = (nth: number, isTimed = true) => sut.follow(TENANT, { seq: seq(nth), at: 1_000 }, { isTimed });

  it('node by node, with the milliseconds since the commit', async () => {
    const record = follow(5);
    waits.get(seq(5))!.settle({ node: 'a', outcome: 'confirmed', guards: 2, atMs: 1_003 });
    waits.get(seq(5))!.settle({ node: 'b', outcome: 'expired', guards: 0, atMs: 990 });
    now = 1_009;
    waits.get(seq(5))!.end(CONFIRMED);
    await turn();
    expect(record.steps).toEqual([
      { what: 'confirmed', node: 'a', guards: 2, ms: 3 },
      { what: 'expired', node: 'b', guards: 0, ms: 0 },
      { what: 'in-force', confirmed: CONFIRMED, ms: 9 },
    ]);
    expect(sut.find(TENANT, seq(5))).toBe(record);
    expect(follow(5)).toBe(record);
  });

  it('without milliseconds where nobody looked when it happened', async () => {
    const record = follow(5, false);
    waits.get(seq(5))!.settle({ node: 'a', outcome: 'confirmed', guards: 2, atMs: 9_999 });
    expect(record.steps).toEqual([{ what: 'confirmed', node: 'a', guards: 2 }]);
  });

  it('says that it cannot tell in time, and waits again', async () => {
    const record = follow(5);
    waits.get(seq(5))!.fail();
    waits.delete(seq(5));
    await turn();
    expect(record.steps).toEqual([{ what: 'not-confirmed', ms: 0 }]);
    while (!waits.has(seq(5))) await new Promise((resolve) => setTimeout(resolve, 5));
    waits.get(seq(5))!.end(CONFIRMED);
    await turn();
    expect(record.steps.at(-1)).toMatchObject({ what: 'in-force' });
  });

  it('of many at once, some are waited for; the others are in force with a later one', async () => {
    const records = Array.from({ length: 200 }, (_, nth) => follow(nth + 1));
    expect(waits.size).toBe(50);
    waits.get(seq(1))!.end(CONFIRMED);
    await turn();
    // The newest one takes the place.
    expect([...waits.keys()].at(-1)).toBe(200n);
    waits.get(seq(200))!.end(CONFIRMED);
    await turn();
    const inForce = records.filter(({ steps }) => steps.some(({ what }) => what === 'in-force'));
    expect(inForce).toHaveLength(1 + 150);
    for (const [at, wait] of waits) if (at <= 50n) wait.end(CONFIRMED);
    await turn();
    expect(records.every(({ steps }) => steps.filter(({ what }) => what === 'in-force').length === 1)).toBe(true);
  });

  it('names each guard once, for the records that it has applied', () => {
    const [one, two] = [follow(5), follow(7)];
    sut.guardHolds(TENANT, 'chat', 'g1', seq(6));
    sut.guardHolds(TENANT, 'chat', 'g1', seq(6));
    sut.guardHolds('other', 'chat', 'g2', seq(9));
    expect(one.steps).toEqual([{ what: 'guard-confirmed', caller: 'chat', guard: 'g1', ms: 0 }]);
    expect(two.steps).toEqual([]);
  });

  it('is forgotten with the last reader of a tenant', () => {
    follow(5);
    sut.forget(TENANT);
    expect(sut.find(TENANT, seq(5))).toBeUndefined();
  });
});

describe('reports of guards', () => {
  const sent: string[][] = [];
  let last: Seq;
  const held = (guard: string, nth: number, tenant = TENANT): Held => ({
    tenant,
    caller: 'chat',
    guard,
    held: seq(nth),
  });
  const make = () =>
    createGuardReports({
      send: async (messages) => sent.push([...messages]),
      lastOf: () => last,
    });
  const told = (): readonly Held[] => sent.flat().flatMap(readReport);
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  beforeEach(() => {
    sent.length = 0;
    last = seq(5);
  });

  it('tell of a guard that had a grant and has now applied a record of its tenant', async () => {
    const sut = make();
    sut.granted(held('g1', 5));
    sut.granted(held('g1', 5));
    // Records of other tenants alone.
    sut.granted(held('g1', 6));
    last = seq(7);
    sut.granted(held('g1', 7));
    await until(() => sent.length > 0);
    expect(told()).toEqual([held('g1', 7)]);
    sut.stop();
  });

  it('carry the last of several grants, many guards in bounded messages, and each tenant by itself', async () => {
    const sut = make();
    for (let nth = 0; nth < 120; nth++) sut.granted(held(`g${nth}`, 5));
    sut.granted(held('x', 5, 'other'));
    last = seq(9);
    for (let nth = 0; nth < 120; nth++) sut.granted(held(`g${nth}`, 8));
    sut.granted(held('g0', 9));
    sut.granted(held('x', 9, 'other'));
    await until(() => told().length >= 121);
    expect(told()).toHaveLength(121);
    expect(told()).toContainEqual(held('g0', 9));
    expect(told()).toContainEqual(held('x', 9, 'other'));
    for (const message of sent.flat()) expect(Buffer.byteLength(message)).toBeLessThan(8_000);
    sut.stop();
  });

  it('that are not ours are passed over', () => {
    for (const text of ['', '{}', '[1]', '["t",[["a","b","x"]]]']) expect(readReport(text)).toEqual([]);
  });
});
