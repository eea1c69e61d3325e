import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';

export interface ControlSessionOptions {
  readonly url: string;
  /** LISTENs to it, before `open` first resolves. */
  readonly channel: string;
  readonly onNotify: (payload: string) => void;
  /** The session ended by itself; the next `open` makes another. */
  readonly onLost: (error: Error | undefined) => void;
  /** A statement that takes longer counts as a lost database. */
  readonly timeoutMs: number;
}

/** One direct session on the primary, for one user that runs one statement after the other. */
export interface ControlSession {
  /** The session that is open, or a new one. */
  open(): Promise<Client>;
  readonly isOpen: boolean;
  /** Something is wrong with it: the next `open` makes another. */
  drop(): void;
  close(): Promise<void>;
}

export function createControlSession({ url, channel, onNotify, onLost, timeoutMs }: ControlSessionOptions): ControlSession {
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
      // The server gives up when we do: a statement left waiting would hold its locks against everybody else.
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
      // Over a link that has failed, the goodbye is never heard. The types lack the method.
      (last as Client & { unref(): void }).unref();
      await Promise.race([last.end().catch(() => undefined), delay(timeoutMs, undefined, { ref: false })]);
    },
  };
}
