import type { Pool, PoolClient } from '../platform/postgres/index.js';

/** Advisory lock of the one process that writes the archive now; an arbitrary number. */
const ARCHIVE_LOCK = '4102387715562041907';

/**
 * Runs `work` on the session that holds the archive's lock; resolves to undefined if another session holds it. If `work` fails, the session
 * is closed, and its lock with it: it may be in the middle of a COPY.
 */
export async function withArchiveLock<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T | undefined> {
  const client = await pool.connect();
  // The failing query reports a broken connection. Without a listener, its `error` event would also end the process.
  client.on('error', ignore);
  try {
    const { rows } = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1) AS mine', [ARCHIVE_LOCK]);
    const result = rows[0]!.mine ? await work(client) : undefined;
    if (rows[0]!.mine) await client.query('SELECT pg_advisory_unlock($1)', [ARCHIVE_LOCK]);
    client.off('error', ignore);
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

const ignore = (): void => undefined;
