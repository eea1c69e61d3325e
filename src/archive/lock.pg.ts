import { withSessionLock, type Pool, type PoolClient } from '../platform/postgres/index.js';

/** Advisory lock of the one process that writes the archive now; an arbitrary number. */
const ARCHIVE_LOCK = '4102387715562041907';

/** Runs `work` on the session that holds the archive's lock; resolves to undefined if another session holds it. */
export const withArchiveLock = <T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T | undefined> =>
  withSessionLock(pool, ARCHIVE_LOCK, work);
