import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';

export interface ControlSessionOptions {
  readonly url: string;
  /** The channel that the session LISTENs to before `open` resolves. */
  readonly channel: string;
  readonly onNotify: (payload: string) => void;
  /** Called when the session ends by itself; the next `open` makes another. */
  readonly onLost: (error: Error | undefined) => void;
  /** A statement that takes longer counts as a lost database. */
  readonly timeoutMs: number;
}

/** One direct session on the primary. Its single user runs one statement after the other. */
export interface ControlSession {
  /** Returns the open session, or connects a new one. */
  open(): Promise<Client>;
  readonly isOpen: boolean;
  /** Discards a session that has failed; the next `open` makes another. */
  drop(): void;
  close(): Promise<void>;
}

export function createControlSession({
  url,
  channel,
  onNotify,
  onLost,
  timeoutMs,
}: ControlSessionOptions): ControlSession {
  let session: Client | undefined;

  function forget(client: Client, error?: Error): void {
    if (session !== client) return;
    session = undefined;
    onLost(error);
  }

  async function connect(): Promise<Client> {
    const client = new Client({
      connectionString: url,
      application_name: 'rescind-control',
      keepAlive: true,
      query_timeout: timeoutMs,
      connectionTimeoutMillis: timeoutMs,
      // The server ends a statement when the client gives up on it: a statement left waiting would hold its locks against everybody else.
      options: [
        `-c statement_timeout=${timeoutMs}`,
        `-c tcp_user_timeout=${2 * timeoutMs}`,
        `-c idle_in_transaction_session_timeout=${timeoutMs}`,
        '-c synchronous_commit=on',
        // Under REPEATABLE READ a renewal would fail against the node's own acknowledgement.
        '-c default_transaction_isolation=read\\ committed',
      ].join(' '),
    });
    client.on('error', (error) => forget(client, error));
    client.on('end', () => forget(client));
    client.on('notification', ({ payload }) => onNotify(payload ?? ''));
    try {
      await client.connect();
      await client.query(`LISTEN ${channel}`);
      return client;
    } catch (error) {
      client.end().catch(() => undefined);
      throw error;
    }
  }

  return {
    open: async () => (session ??= await connect()),
    get isOpen() {
      return session !== undefined;
    },
    drop() {
      const broken = session;
      session = undefined;
      broken?.end().catch(() => undefined);
    },
    async close() {
      const last = session;
      session = undefined;
      if (!last) return;
      // `end` does not resolve over a link that has failed, so the socket must not keep the process alive. The types lack `unref`.
      (last as Client & { unref(): void }).unref();
      await Promise.race([last.end().catch(() => undefined), delay(timeoutMs, undefined, { ref: false })]);
    },
  };
}
