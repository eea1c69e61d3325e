import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createLedgerDirectory, readPublished, readTreeNodes } from '../../../src/log/index.js';
import type { LedgerKeeper } from '../../../src/log/publish/ledger-keeper.js';
import {
  createFrontier,
  parseCheckpoint,
  parseNote,
  proveConsistency,
  verifyConsistency,
  type Checkpoint,
} from '../../../src/merkle/index.js';
import type { Pool } from '../../../src/platform/postgres/index.js';
import { createLedgerWorld, type LedgerWorld } from './ledger-fixture.js';

let world: LedgerWorld;
beforeAll(async () => {
  world = await createLedgerWorld();
});
afterAll(() => world.stop());

/** Holds up every step of a process, and lets go one of them at a time. */
function createTurnstile() {
  const waiting = new Map<number, { go: () => void; fail: (error: Error) => void }>();
  const dead = new Set<number>();
  let isOpen = false;
  return {
    waiting: () => [...waiting.keys()],
    pass: (process: number): Promise<void> => {
      if (dead.has(process)) return Promise.reject(new Error('killed'));
      if (isOpen) return Promise.resolve();
      return new Promise((go, fail) => waiting.set(process, { go, fail }));
    },
    letGo(process: number): void {
      const step = waiting.get(process);
      waiting.delete(process);
      step?.go();
    },
    kill(process: number): void {
      dead.add(process);
      const step = waiting.get(process);
      waiting.delete(process);
      step?.fail(new Error('killed'));
    },
    open(): void {
      isOpen = true;
      for (const process of waiting.keys()) this.letGo(process);
    },
  };
}

/** A pool whose statements wait for `pass`, and whose advisory lock everybody gets: it only saves work. */
const steppedPool = (pool: Pool, pass: () => Promise<void>): Pool =>
  ({
    async connect() {
      const client = await pool.connect();
      return {
        async query(sql: string, values?: unknown[]) {
          await pass();
          return sql.includes('_advisory_') ? { rows: [{ mine: true }] } : client.query(sql, values);
        },
        on: client.on.bind(client),
        off: client.off.bind(client),
        release: client.release.bind(client),
      };
    },
  }) as unknown as Pool;

const read = (note: string): Checkpoint => parseCheckpoint(parseNote(note)!.text)!;

/** Directories of two processes. Two directories with one key are a mistake of an operator; with two keys, one of them never signs. */
const LAYOUTS = ['one directory', 'two directories, two keys', 'two directories, one key'] as const;

/** `step`: one process takes up to `times` steps while the others stand still. `both`: all take one step at once. */
type Action = {
  readonly do: 'step' | 'both' | 'append' | 'kill';
  readonly n: number;
  readonly times: number;
};
const action: fc.Arbitrary<Action> = fc.record({
  do: fc.oneof(
    { weight: 12, arbitrary: fc.constant('step' as const) },
    { weight: 6, arbitrary: fc.constant('both' as const) },
    { weight: 5, arbitrary: fc.constant('append' as const) },
    { weight: 1, arbitrary: fc.constant('kill' as const) },
  ),
  n: fc.nat({ max: 400 }),
  times: fc.integer({ min: 1, max: 40 }),
});

async function run(layout: (typeof LAYOUTS)[number], actions: readonly Action[]): Promise<void> {
  const tenant = randomUUID();
  const roots = [await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-ledger-`))];
  await world.append(1, tenant);
  if (layout === 'two directories, one key') await createLedgerDirectory(roots[0]!).makeKey(tenant);
  if (layout !== 'one directory') {
    roots.push(await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-ledger-`)));
    await cp(roots[0]!, roots[1]!, { recursive: true });
  }
  const turnstile = createTurnstile();
  const keepers: LedgerKeeper[] = [];
  const signed: string[] = [];
  const served: string[] = [];
  const start = (): void => {
    const nth = keepers.length;
    const pass = () => turnstile.pass(nth);
    const directory = createLedgerDirectory(roots[nth % roots.length]!);
    const keep: typeof directory.keep = async (of, checkpoint) => {
      signed.push(checkpoint.note);
      await pass();
      await directory.keep(of, checkpoint);
    };
    keepers.push(
      world.keeper({ pool: steppedPool(world.pool, pass), directory: { ...directory, keep }, lookEveryMs: 1 }),
    );
  };
  const look = async (): Promise<void> => {
    const published = await readPublished(world.pool, tenant);
    if (published && published.note !== served.at(-1)) served.push(published.note);
  };
  /** Resolves when a process stands at its next step. */
  const someStep = async (n: number): Promise<number> => {
    while (turnstile.waiting().length === 0) await delay(1);
    const waiting = turnstile.waiting();
    return waiting[n % waiting.length]!;
  };

  start();
  start();
  let size = 1n;
  for (const one of actions) {
    if (one.do === 'append') {
      await world.append(one.n, tenant);
      size += BigInt(one.n);
    } else if (one.do === 'kill') {
      turnstile.kill(await someStep(one.n));
      start();
    } else if (one.do === 'both') for (const nth of turnstile.waiting()) turnstile.letGo(nth);
    else {
      const nth = await someStep(one.n);
      for (let times = one.times; times > 0 && turnstile.waiting().includes(nth); times -= 1) {
        turnstile.letGo(nth);
        // It may pause, after a failure for long.
        for (let waits = 0; waits < 20 && !turnstile.waiting().includes(nth); waits += 1) await delay(1);
        await look();
      }
    }
    await look();
  }
  turnstile.open();
  // Whichever directory has the key that signs.
  start();
  start();
  while ((await world.publishedSize(tenant)) < size) {
    await look();
    await delay(1);
  }
  await look();
  await Promise.all(keepers.map((keeper) => keeper.stop()));
  for (const root of roots) await rm(root, { recursive: true });
  await expectOneHistory(tenant, signed, served);
}

async function expectOneHistory(tenant: string, signed: readonly string[], served: readonly string[]): Promise<void> {
  const leaves = await world.query<{ leaf_hash: Buffer }>('SELECT leaf_hash FROM entry WHERE tenant = $1 ORDER BY ix', [
    tenant,
  ]);
  const frontier = createFrontier(0n, []);
  const roots = [frontier.root(), ...leaves.map(({ leaf_hash }) => (frontier.append(leaf_hash), frontier.root()))];
  const bySize = new Map<bigint, string>();
  for (const note of [...signed, ...served]) {
    const { size, root } = read(note);
    expect(bySize.get(size) ?? note).toBe(note);
    bySize.set(size, note);
    expect(root).toEqual(roots[Number(size)]);
  }
  for (const [nth, note] of served.entries()) {
    expect(signed).toContain(note);
    const [one, later] = [read(note), read(served[nth + 1] ?? note)];
    expect(later.size).toBeGreaterThanOrEqual(one.size);
    const proof = await proveConsistency(one.size, later.size, readTreeNodes(world.pool, tenant, later.size));
    expect(verifyConsistency(one, later, proof)).toBe(true);
  }
}

it('two processes at once, in any order of their steps, sign and serve one history', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...LAYOUTS), fc.array(action, { minLength: 10, maxLength: 40 }), run),
    { numRuns: 20, endOnFailure: true },
  );
});
