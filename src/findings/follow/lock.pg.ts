import type { Pool, PoolClient } from '../../platform/postgres/index.js';

/** Advisory lock of the one process that follows the ledgers for findings; an arbitrary number. */
const FINDINGS_LOCK = 7428;

/**
 * Runs `work` on the session that holds the right to follow the ledgers; resolves to undefined if another session holds it. If `work` fails, the
 * session is closed, and its lock with it.
 */
export async function withFindingsLock<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
): Promise<T | undefined> {
  const client = await pool.connect();
  // The failing query reports a broken connection. Without a listener, its `error` event would also end the process.
  client.on('error', ignore);
  try {
    const { rows } = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1) AS mine', [FINDINGS_LOCK]);
    const result = rows[0]!.mine ? await work(client) : undefined;
    if (rows[0]!.mine) await client.query('SELECT pg_advisory_unlock($1)', [FINDINGS_LOCK]);
    client.off('error', ignore);
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

const ignore = (): void => undefined;
