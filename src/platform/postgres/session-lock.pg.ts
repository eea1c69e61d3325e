import type { Pool, PoolClient } from './pool.pg.js';

/**
 * Runs `work` on a session that holds an advisory lock; resolves to undefined if another session holds it. If `work` fails, the session is
 * closed, and its lock with it: it may be in the middle of a COPY.
 */
export async function withSessionLock<T>(
  pool: Pool,
  lock: string,
  work: (client: PoolClient) => Promise<T>,
): Promise<T | undefined> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1) AS mine', [lock]);
    const result = rows[0]!.mine ? await work(client) : undefined;
    if (rows[0]!.mine) await client.query('SELECT pg_advisory_unlock($1)', [lock]);
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}
