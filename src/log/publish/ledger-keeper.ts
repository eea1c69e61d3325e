import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import { loadSql, withSessionLock, type Pool, type PoolClient } from '../../platform/postgres/index.js';
import { holdTree, integrateBatch, type HeldTree } from '../tree/integrate.pg.js';
import { newestAnchored } from './fence.pg.js';
import type { Anchors, SignedCheckpoint } from './anchors.js';
import { findLogKeys } from './keys.pg.js';
import type { LedgerDirectory } from './ledger-directory.js';
import { publishCheckpoint } from './publish.pg.js';

/** Pause between two looks for entries. A checkpoint follows its entries by at most this, and the time to make it. */
const LOOK_EVERY_MS = 500;
/** Pause after a failure; it doubles up to the most. */
const LEAST_RETRY_MS = 500;
const MOST_RETRY_MS = 30_000;
/** Advisory lock of the one process that integrates and publishes now; an arbitrary number. It saves work; safety does not depend on it. */
const LEDGER_LOCK = '4102387715562041908';

const FIND_DUE = loadSql(import.meta.url, 'find-due.sql');

export interface LedgerKeeperOptions {
  /** One connection suffices: it holds the lock. */
  readonly pool: Pool;
  readonly logOrigin: string;
  readonly directory: LedgerDirectory;
  /** Further places than the directory. */
  readonly anchors: readonly Anchors[];
  readonly log: Log;
  readonly metrics: Metrics;
  readonly lookEveryMs?: number;
  /** Epoch milliseconds; it decides until when a key signs. */
  readonly now?: () => number;
  /** For tests: awaited before each step of a tenant's turn. */
  readonly onStep?: (step: LedgerStep, tenant: string) => Promise<void> | void;
}

export type LedgerStep = 'hold' | 'integrate' | 'publish' | 'published';

export interface LedgerKeeper {
  start(): void;
  stop(): Promise<void>;
  /** Why a ledger is not published any more; undefined if all are. */
  problem(): unknown;
}

/** A ledger, as this process knows it while it holds the lock. */
interface Kept {
  tree: HeldTree;
  last: SignedCheckpoint | undefined;
}

/** Integrates the entries of every ledger and publishes its checkpoints, while it runs and no other process does. */
export function createLedgerKeeper(options: LedgerKeeperOptions): LedgerKeeper {
  const { pool, logOrigin, directory, log, metrics, lookEveryMs = LOOK_EVERY_MS, now = Date.now, onStep } = options;
  const anchors = [directory, ...options.anchors];
  const stopping = new AbortController();
  const kept = new Map<string, Kept>();
  const problems = new Map<string, unknown>();
  let running: Promise<void> = Promise.resolve();
  const integrated = metrics.counter('rescind_ledger_integrated_total', 'Entries that this process put under a tree.');
  const published = metrics.counter('rescind_ledger_checkpoints_total', 'Checkpoints that this process published.');
  metrics.gauge(
    'rescind_ledger_unpublished_ledgers',
    'Ledgers whose entries this process cannot publish.',
    [],
    () => problems.size,
  );

  async function hold(session: PoolClient, tenant: string): Promise<Kept> {
    await onStep?.('hold', tenant);
    const tree = await holdTree(session, tenant);
    const last = await newestAnchored({ session, tenant, logOrigin, directory, anchors: options.anchors });
    const held = { tree, last };
    kept.set(tenant, held);
    return held;
  }

  async function turn(session: PoolClient, tenant: string, entries: bigint): Promise<void> {
    let held = kept.get(tenant) ?? (await hold(session, tenant));
    while (held.tree.size < entries && !stopping.signal.aborted) {
      await onStep?.('integrate', tenant);
      const next = await integrateBatch(session, tenant, held.tree, entries);
      integrated.inc(Number((next?.size ?? held.tree.size) - held.tree.size));
      if (next) held.tree = next;
      else held = await hold(session, tenant);
    }
    await onStep?.('publish', tenant);
    const checkpoint = await publishCheckpoint({
      session,
      logOrigin,
      tenant,
      findKeys: () => findLogKeys(session, tenant, directory, now()),
      anchors,
      last: held.last,
    });
    if (checkpoint === undefined) return;
    held.last = checkpoint;
    published.inc();
    await onStep?.('published', tenant);
  }

  async function look(session: PoolClient): Promise<void> {
    const { rows } = await session.query<{ tenant: string; entries: string }>(FIND_DUE);
    for (const { tenant, entries } of rows) {
      if (stopping.signal.aborted) return;
      try {
        await turn(session, tenant, BigInt(entries));
        problems.delete(tenant);
      } catch (err) {
        // The next look reads everything anew.
        kept.delete(tenant);
        if (!problems.has(tenant))
          log.error({ err, tenant }, 'cannot publish a ledger; its entries wait, and it is tried again');
        problems.set(tenant, err);
      }
    }
  }

  async function run(): Promise<void> {
    let retryMs = LEAST_RETRY_MS;
    while (!stopping.signal.aborted) {
      try {
        await withSessionLock(pool, LEDGER_LOCK, async (session) => {
          while (!stopping.signal.aborted) {
            await look(session);
            retryMs = LEAST_RETRY_MS;
            await pause(problems.size > 0 ? Math.max(lookEveryMs, LEAST_RETRY_MS) : lookEveryMs);
          }
        });
      } catch (err) {
        if (stopping.signal.aborted) return;
        log.warn({ err, retry_ms: retryMs }, 'cannot look after the ledgers; retrying');
        retryMs = Math.min(2 * retryMs, MOST_RETRY_MS);
      }
      // Another process may have moved the trees since.
      kept.clear();
      await pause(retryMs);
    }
  }

  const pause = (ms: number): Promise<void> =>
    delay(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);

  return {
    start() {
      running = run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
    problem: () => problems.values().next().value,
  };
}
