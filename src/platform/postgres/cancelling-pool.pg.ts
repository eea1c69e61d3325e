import type { Pool, PoolClient } from 'pg';
import { createPool, type PoolOptions } from './pool.pg.js';
import type { Leaving } from './leaving.js';

export interface CancellingPoolOptions extends PoolOptions {
  readonly leaving: Leaving;
  /** Another pool of the same server and user: cancelling a statement needs a session beside the one that runs it. */
  readonly canceller: Pool;
}

type Connected = (
  error: Error | undefined,
  client: PoolClient | undefined,
  release: (error?: Error | boolean) => void,
) => void;

/** Creates a pool whose running statements PostgreSQL cancels if the client of their request leaves. */
export function createCancellingPool({ leaving, canceller, ...options }: CancellingPoolOptions): Pool {
  const pool = createPool(options);
  const connect = pool.connect.bind(pool) as (connected: Connected) => void;

  function connectWatched(connected: Connected): void {
    const signal = leaving.signal();
    connect((error, client, release) => {
      if (client === undefined || signal === undefined) return connected(error, client, release);
      cancelOnAbort(client, signal, canceller);
      connected(undefined, client, client.release);
    });
  }

  pool.connect = ((connected?: Connected) => {
    if (connected !== undefined) return connectWatched(connected);
    return new Promise<PoolClient>((resolve, reject) => {
      connectWatched((error, client) => (client === undefined ? reject(error as Error) : resolve(client)));
    });
  }) as Pool['connect'];
  return pool;
}

function cancelOnAbort(client: PoolClient, signal: AbortSignal, canceller: Pool): void {
  const { processID } = client as PoolClient & { readonly processID: number };
  let cancelling: Promise<unknown> | undefined;
  const cancel = (): void => {
    cancelling = canceller.query('SELECT pg_cancel_backend($1)', [processID]).catch(() => undefined);
  };
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true });
  const release = client.release.bind(client);
  client.release = (error) => {
    signal.removeEventListener('abort', cancel);
    if (cancelling === undefined) release(error);
    else void releaseCancelled(client, cancelling, release, error);
  };
}

/**
 * Releases a client whose statement is being cancelled. The cancellation may still arrive: a statement sent here takes it, not the next
 * question's.
 */
async function releaseCancelled(
  client: PoolClient,
  cancelling: Promise<unknown>,
  release: PoolClient['release'],
  error: Parameters<PoolClient['release']>[0],
): Promise<void> {
  await cancelling;
  const failed = await client.query('SELECT 1').then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  release(failed ?? error);
}
