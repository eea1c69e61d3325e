import { setTimeout as delay } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { RescindError } from '../../contracts/index.js';
import { MADE } from './shadow.pg.js';

/** How long a hold waits for one lock. Meanwhile ingest and questions wait behind it. */
const LOCK_MS = 500;
/** How long a hold may last before it is given up. */
const HOLD_MS = 3_000;
/** How long a hold waits for a `VACUUM` of the live tables. Nobody waits behind this lock. PostgreSQL ends an autovacuum after a second. */
const QUIET_LOCK_MS = 30_000;
/**
 * How often a hold is tried, and the pauses between attempts. In a pause everybody who waited behind the hold has their turn; all
 * pauses together let a report that is read slowly (10 min, `query`) end.
 */
const MAX_ATTEMPTS = 90;
const PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

export interface HoldOptions {
  readonly pool: Pool;
  readonly live: string;
  readonly tables: readonly string[];
  /** Folds until few entries are left, while ingest goes on. */
  readonly catchUp: () => Promise<void>;
  /** Folds the last entries while ingest is held; returns false if there are too many. */
  readonly foldLast: () => Promise<boolean>;
  /** Advisory lock that is held while tables are switched. A rebuild that begins waits for it. */
  readonly switchLock: string;
  /** Rejects if another rebuild may have begun. */
  readonly isMine: () => Promise<void>;
}

export interface Hold {
  /** Returns a session whose snapshot has the live and the rebuilt tables at the same index. The caller releases it. */
  snapshot(): Promise<PoolClient>;
  /**
   * Runs `work` and commits it at a moment at which the rebuilt tables are as complete as the live ones and nobody reads either.
   * Returns a session with a snapshot from just before `work`; the caller releases it.
   */
  switch(work: (client: PoolClient) => Promise<void>): Promise<PoolClient>;
  /** The longest time for which appenders waited, milliseconds. */
  readonly longestMs: number;
}

/** Creates holds: moments at which no entry is written, because the head table is locked against every appender, also for new tenants. */
export function createHold({ pool, live, tables, catchUp, foldLast, switchLock, isMine }: HoldOptions): Hold {
  let longestMs = 0;

  /** Locks, folds the last entries, takes the snapshot, runs `work` if it is given, and commits. */
  async function hold(work?: (client: PoolClient) => Promise<void>): Promise<PoolClient> {
    const [holder, snapshot] = await Promise.all([pool.connect(), pool.connect()]);
    let heldAt: number | undefined;
    let done = false;
    try {
      await holder.query(`BEGIN; SET LOCAL lock_timeout = ${QUIET_LOCK_MS}; SET LOCAL transaction_timeout = 0`);
      await holder.query('SELECT pg_advisory_xact_lock($1)', [switchLock]);
      await isMine();
      if (work)
        await holder.query(
          `LOCK TABLE ${[...namesIn(live), ...namesIn(MADE)].join(', ')} IN SHARE UPDATE EXCLUSIVE MODE`,
        );
      await holder.query(`SET LOCAL lock_timeout = ${LOCK_MS}; SET LOCAL transaction_timeout = ${HOLD_MS}`);
      // Questions leave first: while the hold waits for them, ingest goes on.
      if (work) await holder.query(`LOCK TABLE ${live}.projection_gate IN ACCESS EXCLUSIVE MODE`);
      heldAt = performance.now();
      await holder.query(`LOCK TABLE ${live}.ledger_head IN EXCLUSIVE MODE`);
      if (!(await foldLast())) throw new TooMuchLeft();
      await snapshot.query(
        'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = 0; SET LOCAL transaction_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SELECT 1',
      );
      if (work) {
        await holder.query(`LOCK TABLE ${namesIn(live).join(', ')} IN ACCESS EXCLUSIVE MODE`);
        await work(holder);
      }
      await holder.query('COMMIT');
      done = true;
      return snapshot;
    } finally {
      if (!done) await holder.query('ROLLBACK').catch(() => undefined);
      if (heldAt !== undefined) longestMs = Math.max(longestMs, performance.now() - heldAt);
      holder.release(!done);
      if (!done) snapshot.release(true);
    }
  }

  const namesIn = (schema: string): string[] => tables.map((table) => `${schema}.${table}`);

  async function holdInTime(work?: (client: PoolClient) => Promise<void>): Promise<PoolClient> {
    for (let attempt = 1; ; attempt += 1) {
      await catchUp();
      try {
        return await hold(work);
      } catch (error) {
        if (!isPassing(error)) throw error;
        if (attempt === MAX_ATTEMPTS) throw new RescindError('rebuild-not-switched', { cause: error });
        await delay(Math.min(PAUSE_MS * attempt, LONGEST_PAUSE_MS));
      }
    }
  }

  return {
    snapshot: () => holdInTime(),
    switch: (work) => holdInTime(work),
    get longestMs() {
      return Math.round(longestMs);
    },
  };
}

class TooMuchLeft extends Error {
  override readonly name = 'TooMuchLeft';
}

/** Says whether a retry may succeed: after a lock timeout, a deadlock, a time limit of the session, or too many last entries. */
const isPassing = (error: unknown): boolean =>
  error instanceof TooMuchLeft ||
  ['55P03', '40P01', '57014', '25P04'].includes(String((error as { code?: unknown }).code));
