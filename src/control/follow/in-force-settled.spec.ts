import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createInForce, type InForce } from './in-force.js';
import type { Settled } from './waits.js';
import type { NodeRow } from '../../lease/index.js';
import type { Seq } from '../log/records.js';

const L = 4_000;
const TIMEOUT_MS = 10_000;
const seq = (value: number): Seq => BigInt(value) as Seq;
const row = (id: string, confirmed: number, over: Partial<NodeRow> = {}): NodeRow => ({
  id,
  counter: 1n,
  confirmed: seq(confirmed),
  byTenant: { applied: seq(confirmed), behind: new Map() },
  guards: 0,
  leaseMs: L,
  ...over,
});
const said = (id: string, confirmed: number, guards = 0) => ({
  id,
  confirmed: seq(confirmed),
  byTenant: { applied: seq(confirmed), behind: new Map() },
  guards,
});

describe('how a wait is settled', () => {
  let now: number;
  let rows: NodeRow[] | Error;
  let settled: { readonly seq: Seq; readonly nodes: readonly Omit<Settled, 'atMs'>[] }[];
  let errors: unknown[];
  let sut: InForce;

  beforeEach(() => {
    [now, rows, settled, errors] = [1_000, [], [], []];
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    sut = createInForce({
      rows: {
        async read() {
          if (rows instanceof Error) throw rows;
          return rows;
        },
        reap: async () => false,
      },
      timeoutMs: TIMEOUT_MS,
      cycleMs: 1,
      onError: (error) => errors.push(error),
      onSettled: (of, nodes) =>
        settled.push({ seq: of, nodes: nodes.map(({ node, outcome, guards }) => ({ node, outcome, guards })) }),
    });
  });
  afterEach(async () => {
    await sut.stop();
    jest.restoreAllMocks();
  });

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  /** Waits until a wait that began earlier has read the rows in their present state. */
  async function read(): Promise<void> {
    let reads = 0;
    const held = rows;
    rows = new Proxy(held as NodeRow[], {
      get: (target, name, receiver) => (name === 'map' && reads++, Reflect.get(target, name, receiver)),
    });
    await until(() => reads > 1);
  }

  it('at once where every node has confirmed, with their guards', async () => {
    rows = [row('a', 5, { guards: 2 }), row('b', 6, { guards: 1 })];
    expect(await sut.wait(seq(5))).toEqual({ nodes: 2, guards: 3, expired: 0 });
    expect(sut.parties).toEqual({ nodes: 2, guards: 3 });
    expect(settled).toEqual([
      {
        seq: 5n,
        nodes: [
          { node: 'a', outcome: 'confirmed', guards: 2 },
          { node: 'b', outcome: 'confirmed', guards: 1 },
        ],
      },
    ]);
  });

  it('by a later read: a node confirms, and another is gone', async () => {
    rows = [row('a', 4), row('b', 4), row('c', 5, { guards: 7 })];
    const waiting = sut.wait(seq(5));
    await read();
    rows = [row('a', 5, { guards: 2 }), row('c', 5)];
    expect(await waiting).toEqual({ nodes: 2, guards: 9, expired: 1 });
    expect(settled[0]!.nodes).toEqual([
      { node: 'c', outcome: 'confirmed', guards: 7 },
      { node: 'a', outcome: 'confirmed', guards: 2 },
      { node: 'b', outcome: 'expired', guards: 0 },
    ]);
  });

  it('by what is heard, once', async () => {
    rows = [row('a', 4), row('b', 4)];
    const waiting = sut.wait(seq(5));
    await read();
    sut.heard(said('a', 4, 3));
    sut.heard(said('a', 5, 3));
    sut.heard(said('a', 6, 3));
    expect(settled).toEqual([]);
    sut.heard(said('b', 5, 1));
    expect(await waiting).toEqual({ nodes: 2, guards: 4, expired: 0 });
    expect(settled).toEqual([
      {
        seq: 5n,
        nodes: [
          { node: 'a', outcome: 'confirmed', guards: 3 },
          { node: 'b', outcome: 'confirmed', guards: 1 },
        ],
      },
    ]);
  });

  it('by what was heard before a read that was answered without it', async () => {
    rows = [row('a', 4)];
    sut.heard(said('a', 5, 3));
    expect(await sut.wait(seq(5))).toEqual({ nodes: 1, guards: 3, expired: 0 });
    expect(settled[0]!.nodes).toEqual([{ node: 'a', outcome: 'confirmed', guards: 3 }]);
  });

  it('node by node for whoever watches, at once and without a report of its own', async () => {
    rows = [row('a', 4), row('b', 4), row('c', 5, { guards: 1 })];
    const seen: Omit<Settled, 'atMs'>[] = [];
    const watching = sut.watch(seq(5), 't', ({ node, outcome, guards }) => seen.push({ node, outcome, guards }));
    await read();
    expect(seen).toEqual([{ node: 'c', outcome: 'confirmed', guards: 1 }]);
    sut.heard(said('a', 5, 3));
    expect(seen.at(-1)).toEqual({ node: 'a', outcome: 'confirmed', guards: 3 });
    rows = [row('a', 5), row('c', 5)];
    expect(await watching).toEqual({ nodes: 2, guards: 4, expired: 1 });
    expect(seen.at(-1)).toEqual({ node: 'b', outcome: 'expired', guards: 0 });
    expect(seen).toHaveLength(3);
    expect(settled).toEqual([]);
    expect(await sut.upTo(seq(4), 't')).toBe(5n);
  });

  it('by nothing that was heard of a row that has gone since', async () => {
    sut.heard(said('a', 5, 3));
    const without = sut.wait(seq(5));
    expect(await without).toEqual({ nodes: 0, guards: 0, expired: 0 });
    rows = [row('a', 4)];
    const waiting = sut.wait(seq(5));
    await read();
    expect(settled).toHaveLength(1);
    rows = [row('a', 5)];
    expect(await waiting).toMatchObject({ nodes: 1, guards: 0 });
  });

  it('not in time: it is refused, and the next one waits again', async () => {
    rows = [row('a', 4)];
    const waiting = sut.wait(seq(5));
    const refused = waiting.catch((error: unknown) => error);
    await read();
    now += TIMEOUT_MS;
    expect(await refused).toMatchObject({ code: 'not-confirmed' });
    rows = [row('a', 5)];
    expect(await sut.wait(seq(5))).toMatchObject({ nodes: 1 });
    // The wait that was refused is not reported again.
    expect(settled).toHaveLength(1);
  });

  it('in time to its last millisecond', async () => {
    rows = [row('a', 4)];
    const waiting = sut.wait(seq(5));
    await read();
    now += TIMEOUT_MS - 1;
    await read();
    rows = [row('a', 5)];
    expect(await waiting).toMatchObject({ nodes: 1 });
  });

  it('although the rows could not be read for a while', async () => {
    rows = new Error('away');
    const waiting = sut.wait(seq(5));
    await until(() => errors.length > 1);
    rows = [row('a', 5)];
    expect(await waiting).toMatchObject({ nodes: 1 });
    expect(errors[0]).toMatchObject({ message: 'away' });
  });

  it('by its end, when the process stops', async () => {
    rows = [row('a', 4)];
    const refused = sut.wait(seq(5)).catch((error: unknown) => error);
    await read();
    await sut.stop();
    expect(await refused).toMatchObject({ code: 'not-confirmed' });
    await expect(sut.wait(seq(5))).rejects.toMatchObject({ code: 'not-confirmed' });
    await expect(sut.watch(seq(5), 't', () => undefined)).rejects.toMatchObject({ code: 'not-confirmed' });
  });

  it('up to the least that a node has confirmed, and never further back than was said', async () => {
    rows = [row('a', 7), row('b', 5), row('c', 9)];
    expect(await sut.upTo(seq(9), 't')).toBe(5n);
    expect(await sut.upTo(seq(4), 't')).toBe(5n);
    expect(await sut.upTo(seq(4), 'other')).toBe(4n);
    rows = [];
    expect(await sut.upTo(seq(8), 't')).toBe(8n);
    rows = [row('a', 12)];
    await sut.wait(seq(10), 't');
    rows = [row('b', 6)];
    expect(await sut.upTo(seq(12), 't')).toBe(10n);
  });
});
