import type { Pool } from '../../platform/postgres/index.js';

/**
 * Finds whether the control topic has to be written anew: an erasure took names out of records longer ago than `afterMs`. Resolves to the time of the last
 * such erasure, as PostgreSQL writes it.
 */
export async function findDue(pool: Pool, afterMs: number): Promise<string | undefined> {
  const { rows } = await pool.query<{ last_at: string }>(
    "SELECT last_at::text FROM control_names_erased WHERE first_at <= clock_timestamp() - $1 * interval '1 ms'",
    [afterMs],
  );
  return rows[0]?.last_at;
}

/** Notes that the topic was written anew. An erasure after `lastAt` is due for a writing of its own: its names may lie in a file that is not closed yet. */
export async function noteWrittenAnew(pool: Pool, lastAt: string): Promise<void> {
  await pool.query('DELETE FROM control_names_erased WHERE last_at = $1', [lastAt]);
  await pool.query('UPDATE control_names_erased SET first_at = last_at');
}
