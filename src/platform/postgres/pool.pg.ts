import { Pool, type ClientBase, type PoolClient } from 'pg';

/** Limits of the server on a session, in milliseconds. At a limit the server ends the statement, or the session with its locks. */
export interface SessionTimeouts {
  /** One statement. */
  readonly statementMs: number;
  /** Waiting for one lock; part of the statement. */
  readonly lockMs: number;
  /** A transaction between two statements, which holds its locks idle. */
  readonly idleInTransactionMs: number;
  /** A whole transaction, even one stopped inside COPY, which the other limits do not end (PostgreSQL 17 and newer). */
  readonly transactionMs: number;
}

export const DEFAULT_TIMEOUTS: SessionTimeouts = {
  statementMs: 30_000,
  lockMs: 10_000,
  idleInTransactionMs: 10_000,
  transactionMs: 60_000,
};
/** How long data to a client may stay unacknowledged before the server takes the client for dead. A stopped process still acknowledges. */
export const TCP_USER_TIMEOUT_MS = 10_000;
/** Idle connections are probed after this long, on both sides. */
export const KEEPALIVE_AFTER_MS = 10_000;
/** How often the server checks whether the client of a running statement is still there. */
const CLIENT_CHECK_INTERVAL_MS = 5_000;
/** An unused connection is closed after this long. */
export const IDLE_CONNECTION_TIMEOUT_MS = 30_000;
/** How long a caller waits for a connection before it is told that the database is unavailable. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** Exported for unsuffixed files, which may not import the driver. */
export type { Pool, PoolClient };

export interface PoolOptions {
  url: string;
  max: number;
  /** The session's name in `pg_stat_activity`. */
  applicationName: string;
  /** Called for the log if an idle connection is lost. The caller gets no error, because the pool opens another connection. */
  onIdleError?: (error: Error) => void;
  /** Overrides of {@link DEFAULT_TIMEOUTS}. */
  timeouts?: Partial<SessionTimeouts>;
}

/** Creates a pool with server-side timeouts. 64-bit integers stay text (node-postgres's default): convert them to `bigint` at the edge. */
export function createPool({ url, onIdleError, ...options }: PoolOptions): Pool {
  const pool = new Pool({ connectionString: url, ...poolConfig(options) });
  pool.on('error', (error) => {
    if (!pool.ending) onIdleError?.(error);
  });
  return pool;
}

/** Settings of every pool, also of one that another library makes: limits of the server, of waiting, and of unused connections. */
export function poolConfig({
  max,
  applicationName,
  timeouts,
}: Pick<PoolOptions, 'max' | 'applicationName' | 'timeouts'>) {
  return {
    max,
    application_name: applicationName,
    idleTimeoutMillis: IDLE_CONNECTION_TIMEOUT_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_AFTER_MS,
    onConnect: surviveErrors,
    options: Object.entries(sessionSettings({ ...DEFAULT_TIMEOUTS, ...timeouts }))
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
  };
}

/**
 * Keeps the process alive when a connection that somebody holds breaks between two statements: the next statement reports it. Set as the
 * connection opens, since the server may end it in the packet that opens it, before who asked for it can listen.
 */
function surviveErrors(client: ClientBase): void {
  client.on('error', () => undefined);
}

function sessionSettings(timeouts: SessionTimeouts): Record<string, string | number> {
  return {
    statement_timeout: timeouts.statementMs,
    lock_timeout: timeouts.lockMs,
    idle_in_transaction_session_timeout: timeouts.idleInTransactionMs,
    transaction_timeout: timeouts.transactionMs,
    tcp_user_timeout: TCP_USER_TIMEOUT_MS,
    tcp_keepalives_idle: KEEPALIVE_AFTER_MS / 1_000,
    tcp_keepalives_interval: 5,
    tcp_keepalives_count: 3,
    client_connection_check_interval: CLIENT_CHECK_INTERVAL_MS,
    timezone: 'UTC',
    // A batch waits for another's locks and then reads what the other wrote. An order of the lease protocol does the same.
    default_transaction_isolation: 'read\\ committed',
  };
}

/**
 * Runs `work` in one transaction on one connection: COMMIT if it resolves, ROLLBACK if it rejects. If the ROLLBACK fails, the connection
 * is closed instead of given back. If the COMMIT is rejected, its outcome is unknown.
 */
export function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  return onConnection(pool, async (client) => {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  });
}

/**
 * Runs `work` on one connection like {@link inTransaction}, but `work` begins and ends its transaction itself, with its first and last
 * statements.
 */
export async function onConnection<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    return await work(client);
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: unknown) => {
      broken = rollbackError instanceof Error ? rollbackError : new Error('ROLLBACK failed');
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

/**
 * Whether the same call may pass later. True for: no connection, a connection that broke, a server that is starting, stopping or full, and
 * a limit of {@link SessionTimeouts} reached, for example behind a lock.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string') {
    return /^(08...|57P0[1-5]|57014|55P03|25P0[34]|53300|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/.test(
      code,
    );
  }
  // node-postgres and TypeORM give these errors no code.
  return /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query runner already released)/.test(
    String(message),
  );
}
