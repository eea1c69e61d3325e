import type { Log } from '../log/index.js';
import type { Pool } from './pool.pg.js';
import { loadSql } from './sql.js';

/** How often the sessions are checked. */
export const STUCK_CHECK_INTERVAL_MS = 5_000;

const END_STUCK = loadSql(import.meta.url, 'end-stuck-sessions.sql');

/**
 * Ends sessions named `applicationName` whose statement is older than `olderThanMs` while the server waits, inside COPY, for a silent
 * client. No timeout of the server does that (PostgreSQL 18: between two messages of a COPY the server sees only a termination, not
 * `transaction_timeout`), and the kernel of a process that is merely stopped goes on acknowledging. Every process watches all sessions of
 * the deployment. A session may be silent inside COPY as long as between two statements, so give it `idleInTransactionMs`. Returns a
 * function that stops the watch.
 */
export function endStuckSessions(options: {
  pool: Pool;
  applicationName: string;
  olderThanMs: number;
  log: Log;
  intervalMs?: number;
}): () => Promise<void> {
  const { pool, applicationName, olderThanMs, log, intervalMs = STUCK_CHECK_INTERVAL_MS } = options;
  let looking: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    const { rows } = await pool.query<{ pid: number }>(END_STUCK, [applicationName, olderThanMs / 1_000]);
    if (rows.length > 0)
      log.error(
        { pids: rows.map(({ pid }) => pid) },
        'ended database sessions whose process had stopped inside a COPY',
      );
  }

  const timer = setInterval(() => {
    looking = look().catch((err: unknown) => log.warn({ err }, 'cannot look for stuck database sessions; retrying'));
  }, intervalMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await looking;
  };
}
