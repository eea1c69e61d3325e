import { setTimeout as delay } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { RescindError } from '../../contracts/index.js';
import { MADE } from './shadow.pg.js';

/** For how long one lock of a hold is waited for: while it waits, ingest, or whoever asks, waits behind it. */
const LOCK_MS = 500;
/** A hold that takes longer is given up. */
const HOLD_MS = 3_000;
/** For how long `VACUUM` of the live tables is waited for; nobody waits behind this one. PostgreSQL ends its own after a second. */
const QUIET_LOCK_MS = 30_000;
/**
 * How often a hold is tried, and the pauses between: everybody who waited behind it has their turn, and a report that is read slowly
 * (10 min, `query`) comes to its end.
 */
const MAX_ATTEMPTS = 90;
const PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

export interface HoldOptions {
  readonly pool: Pool;
  readonly live: string;
  readonly tables: readonly string[];
  /** Until little is left. Ingest goes on. */
  readonly catchUp: () => Promise<void>;
  /** While ingest stands; false: too much has come. */
  readonly foldLast: () => Promise<boolean>;
  /** Held while tables are switched: a rebuild that begins waits for it. */
  readonly switchLock: string;
  /** Rejects when another may have begun. */
  readonly isMine: () => Promise<void>;
}

export interface Hold {
  /** A session whose snapshot has the live tables and the new ones at the same index. The caller releases it. */
  snapshot(): Promise<PoolClient>;
  /** Runs `work` at a moment at which the new tables have all that the live ones have and nobody reads either, and commits it. A snapshot of before. */
  switch(work: (client: PoolClient) => Promise<void>): Promise<PoolClient>;
  /** The longest time for which appenders waited. */
  readonly longestMs: number;
}

/** Moments at which no entry is written: the head table is locked against every appender, those of new tenants included. */
export function createHold({ pool, live, tables, catchUp, foldLast, switchLock, isMine }: HoldOptions): Hold {
  let longestMs = 0;

  /** Locks, folds the rest and takes the snapshot; then `work`, if any, and COMMIT. */
  async function hold(work?: (client: PoolClient) => Promise<void>): Promise<PoolClient> {
    const [holder, snapshot] = await Promise.all([connect(pool), connect(pool)]);
    let heldAt: number | undefined;
    let done = false;
    try {
      await holder.query(`BEGIN; SET LOCAL lock_timeout = ${QUIET_LOCK_MS}; SET LOCAL transaction_timeout = 0`);
      await holder.query('SELECT pg_advisory_xact_lock($1)', [switchLock]);
      await isMine();
      if (work) await holder.query(`LOCK TABLE ${[...namesIn(live), ...namesIn(MADE)].join(', ')} IN SHARE UPDATE EXCLUSIVE MODE`);
      await holder.query(`SET LOCAL lock_timeout = ${LOCK_MS}; SET LOCAL transaction_timeout = ${HOLD_MS}`);
      // Those who ask leave first: while they are waited for, ingest goes on.
      if (work) await holder.query(`LOCK TABLE ${live}.projection_gate IN ACCESS EXCLUSIVE MODE`);
      heldAt = performance.now();
      await holder.query(`LOCK TABLE ${live}.ledger_head IN EXCLUSIVE MODE`);
      if (!(await foldLast())) throw new TooMuchLeft();
      await snapshot.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = 0; SET LOCAL transaction_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SELECT 1');
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

/** A lock that was not had in time, a deadlock, a limit of the session: another moment may do. */
const isPassing = (error: unknown): boolean =>
  error instanceof TooMuchLeft || ['55P03', '40P01', '57014', '25P04'].includes(String((error as { code?: unknown }).code));

async function connect(pool: Pool): Promise<PoolClient> {
  const client = await pool.connect();
  client.on('error', () => undefined);
  return client;
}
