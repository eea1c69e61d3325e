import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../platform/log/index.js';
import type { Pool } from '../../platform/postgres/index.js';
import { GUARD_CHANNEL, readReport, type Held } from './guard-reports.js';

const RECONNECT_MS = 1_000;
const NOTIFY = `SELECT pg_notify('${GUARD_CHANNEL}', m) FROM unnest($1::text[]) AS m`;

/** Sends reports of guards to every process. */
export const sendReports =
  (pool: Pool) =>
  (messages: readonly string[]): Promise<unknown> =>
    pool.query(NOTIFY, [messages]);

/** Hears the reports of every process, on a connection of its own. Reports that come while it is not connected are lost. */
export interface GuardChannel {
  /** Begins to listen; later calls do nothing. */
  start(): void;
  stop(): Promise<void>;
}

export function createGuardChannel({
  pool,
  log,
  onHeld,
}: {
  readonly pool: Pool;
  readonly log: Log;
  readonly onHeld: (held: Held) => void;
}): GuardChannel {
  const ending = new AbortController();
  let running: Promise<void> | undefined;

  /** Listens until the connection is lost. */
  async function listen(): Promise<void> {
    const client = await pool.connect();
    let broken: Error | undefined;
    const lost = new Promise<void>((resolve) => {
      const end = (error?: Error): void => {
        broken = error;
        resolve();
      };
      client.on('error', end);
      client.on('end', () => end());
      ending.signal.addEventListener('abort', () => end(), { once: true });
    });
    client.on('notification', ({ payload }) => {
      for (const held of readReport(payload ?? '')) onHeld(held);
    });
    try {
      await client.query(`LISTEN ${GUARD_CHANNEL}`);
      await lost;
    } finally {
      // Closed instead of given back, so that no other user of the pool hears anything.
      client.release(broken ?? true);
    }
  }

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      await listen().catch((err: unknown) => log.warn({ err }, 'cannot hear which guards confirm rules; retrying'));
      await delay(RECONNECT_MS, undefined, { signal: ending.signal, ref: false }).catch(() => undefined);
    }
  }

  return {
    start() {
      running ??= run();
    },
    async stop() {
      ending.abort();
      await running;
    },
  };
}
