import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../platform/log/index.js';
import type { Metrics } from '../platform/observe/index.js';
import type { Pool } from '../platform/postgres/index.js';
import { findDue, findRange } from './closed-ranges.pg.js';
import { findDamaged, type Damaged } from './check.pg.js';
import { withArchiveLock } from './lock.pg.js';
import type { ArchivedFile } from './manifest.pg.js';
import type { Left } from './leave/leave.pg.js';
import { createLeaving } from './leave/turns.pg.js';
import { isPlace, takePlace } from './place.pg.js';
import { SEGMENT_ENTRIES, type Range } from './segment.js';
import { writeSegment, type Step } from './write-segment.pg.js';

/** Pause between two looks for closed ranges. */
const LOOK_EVERY_MS = 5_000;
/** Pause after a failure; it doubles up to the most. */
const LEAST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 60_000;
/** Pause between two checks of all files, and of those that were damaged. */
const CHECK_EVERY_MS = 24 * 3_600_000;
const CHECK_DAMAGED_EVERY_MS = 60_000;
/** Pause between two looks for uses that may leave PostgreSQL. */
const LEAVE_EVERY_MS = 10 * 60_000;
/** Damaged files that one check names in the log. */
const MAX_NAMED = 10;

export interface ArchiverOptions {
  /** One connection suffices: it holds the lock, and reads between its statements. */
  readonly pool: Pool;
  readonly root: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly segmentEntries?: bigint;
  readonly lookEveryMs?: number;
  /** Whole days after which archived uses leave PostgreSQL. Default: they stay. */
  readonly hotDays?: number | undefined;
  readonly leaveEveryMs?: number;
  readonly onStep?: (step: Step, range: Range) => Promise<void> | void;
}

export interface Archiver {
  start(): void;
  /** Ends the segment under way; the next start writes it anew. */
  stop(): Promise<void>;
}

/** Archives closed ranges of every ledger while it runs, one segment at a time, and checks the files once a day. */
export function createArchiver(options: ArchiverOptions): Archiver {
  const { pool, root, log, metrics, lookEveryMs = LOOK_EVERY_MS, hotDays, leaveEveryMs = LEAVE_EVERY_MS } = options;
  const stopping = new AbortController();
  const measured = createArchiveMetrics(metrics);
  let running: Promise<void> = Promise.resolve();
  const checked = { allAt: Number.NEGATIVE_INFINITY, at: 0, damaged: [] as readonly Damaged[] };
  const leaving =
    hotDays === undefined ? undefined : createLeaving({ pool, root, log, hotDays, everyMs: leaveEveryMs });

  /** Returns the pause before the next turn. */
  async function turn(): Promise<number> {
    await check();
    const startedAt = performance.now();
    let wrote: Wrote | undefined;
    try {
      wrote = await archiveNext({ ...options, signal: stopping.signal });
    } finally {
      measured.lag(await findDue(pool, options.segmentEntries ?? SEGMENT_ENTRIES));
    }
    measured.left(await leaving?.turn(stopping.signal));
    if (wrote === undefined) return lookEveryMs;
    const took = performance.now() - startedAt;
    measured.wrote(wrote.files);
    log.debug(
      {
        tenant: wrote.range.tenant,
        first: String(wrote.range.first),
        end: String(wrote.range.end),
        ms: Math.round(took),
      },
      'archived a range',
    );
    // Half of the time at most, however much there is to do.
    return Math.min(took, lookEveryMs);
  }

  async function check(): Promise<void> {
    const now = performance.now();
    const all = now - checked.allAt >= CHECK_EVERY_MS;
    if (!all && (checked.damaged.length === 0 || now - checked.at < CHECK_DAMAGED_EVERY_MS)) return;
    if (!(await isPlace(pool, root))) return;
    const damaged = await findDamaged({
      pool,
      root,
      signal: stopping.signal,
      ...(all ? {} : { among: checked.damaged }),
    });
    checked.at = performance.now();
    if (all) checked.allAt = checked.at;
    checked.damaged = damaged;
    measured.damaged(damaged.length);
    if (!all) return;
    for (const { path, problem } of damaged.slice(0, MAX_NAMED))
      log.error({ path, problem }, 'a file of the archive is damaged; run `rescind rebuild archive` to make it anew');
    if (damaged.length > MAX_NAMED) log.error({ files: damaged.length }, 'so many files of the archive are damaged');
  }

  async function run(): Promise<void> {
    let retryMs = LEAST_RETRY_MS;
    let elsewhere = false;
    while (!stopping.signal.aborted) {
      let pauseMs: number;
      try {
        pauseMs = await turn();
        retryMs = LEAST_RETRY_MS;
        elsewhere = false;
      } catch (err) {
        if (stopping.signal.aborted) return;
        if (!(err instanceof ElsewhereError)) log.warn({ err, retry_ms: retryMs }, 'cannot archive uses; retrying');
        else if (!elsewhere) log.warn({ problem: err.message }, 'this process does not write the archive');
        elsewhere = err instanceof ElsewhereError;
        pauseMs = retryMs;
        retryMs = Math.min(2 * retryMs, MOST_RETRY_MS);
      }
      await delay(pauseMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  }

  return {
    start() {
      running = run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** The directory is not the archive's own. Somebody must mount a volume, or another machine writes the archive. */
export class ElsewhereError extends Error {
  override readonly name = 'ElsewhereError';
}

export interface Wrote {
  readonly range: Range;
  readonly files: readonly ArchivedFile[];
}

/**
 * Archives the range that closed first; resolves to undefined if none is due or another process writes. Rejects if the directory is not the
 * archive's own.
 */
export async function archiveNext({
  pool,
  root,
  segmentEntries = SEGMENT_ENTRIES,
  onStep,
  signal,
}: Pick<ArchiverOptions, 'pool' | 'root' | 'segmentEntries' | 'onStep'> & { readonly signal?: AbortSignal }): Promise<
  Wrote | undefined
> {
  return withArchiveLock(pool, async (client) => {
    const [due] = await findDue(client, segmentEntries);
    if (due === undefined) return undefined;
    const problem = await takePlace(client, root);
    if (problem !== undefined) throw new ElsewhereError(`${root}: ${problem}`);
    const range = await findRange(client, due);
    const files = await writeSegment({
      client,
      root,
      range,
      ...(signal ? { signal } : {}),
      ...(onStep ? { onStep: (step) => onStep(step, range) } : {}),
    });
    return { range, files };
  });
}

function createArchiveMetrics(metrics: Metrics) {
  let lagMs = 0;
  let dueLedgers = 0;
  let damagedFiles = 0;
  metrics.gauge(
    'rescind_archive_lag_seconds',
    'Seconds since the oldest range closed that is not archived yet; 0 if there is none.',
    [],
    () => lagMs / 1_000,
  );
  metrics.gauge(
    'rescind_archive_due_ledgers',
    'Ledgers with a closed range that is not archived yet.',
    [],
    () => dueLedgers,
  );
  metrics.gauge(
    'rescind_archive_damaged_files',
    'Files of the archive that the last check found missing or changed.',
    [],
    () => damagedFiles,
  );
  const segments = metrics.counter('rescind_archive_segments_total', 'Segments that this process wrote.');
  const uses = metrics.counter('rescind_archive_uses_total', 'Uses that this process archived.');
  const leftUses = metrics.counter(
    'rescind_archive_left_uses_total',
    'Uses that this process let leave the database, because the archive has them and they are older than HOT_DAYS.',
  );
  let staying = 0;
  metrics.gauge(
    'rescind_archive_staying_uses',
    'Old uses that stay in the database, because what they belong to is not known yet; of the partitions that were last looked at.',
    [],
    () => staying,
  );
  const bytes = metrics.counter('rescind_archive_bytes_total', 'Bytes of the files that this process wrote.');
  return {
    lag(due: readonly { readonly lagMs: number }[]) {
      lagMs = due[0]?.lagMs ?? 0;
      dueLedgers = due.length;
    },
    damaged(files: number) {
      damagedFiles = files;
    },
    left(left: Left | undefined) {
      if (left === undefined) return;
      leftUses.inc(left.uses);
      staying = left.staying;
    },
    wrote(files: readonly ArchivedFile[]) {
      segments.inc();
      for (const file of files) {
        bytes.inc(file.bytes);
        if (file.name === 'uses') uses.inc(file.rows);
      }
    },
  };
}
