import type { Log } from '../../platform/log/index.js';
import type { Metrics } from '../../platform/observe/index.js';
import { withSessionLock, type Pool } from '../../platform/postgres/index.js';
import { createAsk, type ColdUses } from '../../projections/index.js';
import type { Control } from '../control.js';
import { LEARNS_DAYS, type Detection } from '../detection.js';
import { createLooking, type Looking } from '../look.js';
import { stepOnce } from './step.pg.js';

/** Advisory lock of the one process that follows the ledgers for findings; an arbitrary number. */
const FINDINGS_LOCK = '7428';
/** The most entries that the detections read in one transaction. */
const STEP_ENTRIES = 4_000;

export interface FindingsFollowerOptions {
  /** Two connections: one holds the right and writes, one reads. */
  readonly pool: Pool;
  readonly tenants: () => Iterable<{ readonly id: string }>;
  readonly control: Control;
  readonly detections: readonly Detection[];
  /** Reads uses that have left PostgreSQL. Without it, a ledger that has such uses cannot be read from its beginning. */
  readonly cold?: ColdUses | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly stepEntries?: number;
  /** Days after which a ledger knows what is usual. */
  readonly learnsDays?: number | undefined;
  /** Returns the current time in epoch milliseconds. */
  readonly now?: () => number;
}

/** Follows each ledger with the detections, in one process of a deployment at a time. Any process that runs it may take over. */
export function createFindingsFollower(options: FindingsFollowerOptions): Looking {
  const { log, metrics } = options;
  let behind = 0;
  metrics.gauge(
    'rescind_findings_lag_entries',
    'Entries of all ledgers that the detections have not read yet, in the process that reads them.',
    [],
    () => behind,
  );
  const errors = metrics.counter(
    'rescind_findings_errors_total',
    'Times that the detections failed to read a ledger; they begin again at the same entry.',
  );

  return createLooking(
    async (signal) => {
      behind = await followNext({ ...options, signal, onBehind: (entries) => (behind = entries) });
    },
    (err, retryMs) => {
      errors.inc();
      log.warn({ err, retry_ms: retryMs }, 'cannot look for findings; retrying');
    },
  );
}

/**
 * Reads what came to the ledgers of all tenants since the last time, to the end. Tenants take turns by steps, so that none waits for another's backlog.
 * Resolves to the entries that are left: 0, unless it was ended or another process follows.
 */
export async function followNext({
  pool,
  tenants,
  control,
  detections,
  stepEntries = STEP_ENTRIES,
  learnsDays = LEARNS_DAYS,
  now = Date.now,
  cold,
  signal,
  onBehind,
}: Pick<
  FindingsFollowerOptions,
  'pool' | 'tenants' | 'control' | 'detections' | 'stepEntries' | 'learnsDays' | 'now' | 'cold'
> & {
  readonly signal?: AbortSignal;
  /** Called after each turn with the entries that are left. */
  readonly onBehind?: (entries: number) => void;
}): Promise<number> {
  const ask = createAsk({ pool, now: () => Math.floor(Date.now() / 1_000), cold });
  const left = await withSessionLock(pool, FINDINGS_LOCK, async (client) => {
    for (;;) {
      let behind = 0n;
      for (const { id: tenant } of tenants()) {
        if (signal?.aborted === true) return Number(behind);
        const more = await stepOnce({
          ask,
          client,
          control,
          detections,
          tenant,
          entries: stepEntries,
          learnsDays,
          now,
        });
        behind += more ?? 0n;
      }
      onBehind?.(Number(behind));
      if (behind === 0n) return 0;
    }
  });
  return left ?? 0;
}
