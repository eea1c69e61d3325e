import { Pool, type PoolClient } from 'pg';

/** A statement that runs longer is ended by the server; the request it served has long been given up. */
export const STATEMENT_TIMEOUT_MS = 30_000;
/** A transaction that stands open without a statement holds locks for nobody. */
export const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;
/** Ends what the other two do not: a session stopped inside COPY (PostgreSQL 17 and newer). */
export const TRANSACTION_TIMEOUT_MS = 60_000;
/** A connection that nobody used for so long is closed. */
export const IDLE_CONNECTION_TIMEOUT_MS = 30_000;
/** How long a caller waits for a connection before it is told that the database is not there. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** For unsuffixed files, which may not know the driver. */
export type { Pool, PoolClient };

export interface PoolOptions {
  url: string;
  max: number;
  /** Seen in `pg_stat_activity`. */
  applicationName: string;
  /** A lost idle connection is no error of the caller's: the pool makes another. Told here, for the log. */
  onIdleError?: (error: Error) => void;
}

/** A pool with server-side timeouts. 64-bit integers stay text (`node-postgres`'s default): make `bigint` of them at the edge. */
export function createPool(options: PoolOptions): Pool {
  const pool = new Pool({
    connectionString: options.url,
    max: options.max,
    application_name: options.applicationName,
    idleTimeoutMillis: IDLE_CONNECTION_TIMEOUT_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    options: `-c transaction_timeout=${TRANSACTION_TIMEOUT_MS} -c timezone=UTC`,
  });
  pool.on('error', (error) => {
    if (!pool.ending) options.onIdleError?.(error);
  });
  return pool;
}

/**
 * Runs `work` in one transaction on one connection: COMMIT when it resolves, ROLLBACK when it rejects. A connection whose
 * ROLLBACK failed is closed, not given back. A rejected COMMIT leaves the outcome unknown.
 */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // Without a listener, a connection that breaks between two statements would end the process.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: unknown) => {
      broken = rollbackError instanceof Error ? rollbackError : new Error('ROLLBACK failed');
    });
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}

/** No connection, a connection that broke, or a server that is starting, stopping or full: the same call may pass later. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string') {
    return /^(08...|57P0[1-5]|53300|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/.test(code);
  }
  // node-postgres gives these no code.
  return /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/.test(String(message));
}
