import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RescindError, type AudienceTerms } from '../../contracts/index.js';
import { createControlFollower, createControlLog } from '../../control/index.js';
import { type Config } from '../../platform/config/index.js';
import { findEmbeddedPostgres, startDatabase } from '../../platform/embedded/index.js';
import { type Log } from '../../platform/log/index.js';
import { checkServer, createPool, type Pool, type SessionTimeouts } from '../../platform/postgres/index.js';
import { createLifecycle, type Lifecycle } from '../../platform/process/index.js';
import { REBUILD_CONNECTIONS, rebuildProjections, type Rebuilt, type RebuildOptions } from '../../projections/index.js';

/** Connections in addition to the rebuild's own, to read the control log. */
const CONTROL_CONNECTIONS = 1;

/** Time to wait for a tenant's control record if the ledger already has entries of that tenant. */
const TENANT_WAIT_MS = 10_000;
const TENANT_POLL_MS = 50;

export interface RebuildFromLedgerOptions
  extends Pick<RebuildOptions, 'name' | 'acceptDifference' | 'leftOut' | 'onProgress' | 'signal'> {
  readonly log: Log;
}

/** Rebuilds projections from the ledger, beside a running service or without one. Uses an embedded PostgreSQL that runs as it is. */
export async function rebuildFromLedger(
  config: Config,
  { log, ...options }: RebuildFromLedgerOptions,
): Promise<Rebuilt> {
  const max = REBUILD_CONNECTIONS + CONTROL_CONNECTIONS;
  return onDatabase(config, { log, max }, async ({ pool, url, lifecycle }) => {
    const controlLog = createControlLog({ pool });
    const follower = createControlFollower({ url, controlLog, log, serves: false });
    await follower.start();
    lifecycle.onStop('control follower', () => follower.stop());
    const { state } = follower;
    const first = new Map<string, AudienceTerms>();
    for (const source of state.sources()) {
      const { id } = source;
      const registered = (await controlLog.readSubject(id)).find(({ kind }) => kind === 'source.changed');
      first.set(id, registered?.kind === 'source.changed' ? registered.body : source);
    }
    return await rebuildProjections({
      ...options,
      pool,
      async tenantKey(id) {
        // The control record of a tenant that was created a moment ago may not have been read here yet.
        for (const until = Date.now() + TENANT_WAIT_MS; !state.tenant(id) && Date.now() < until; )
          await delay(TENANT_POLL_MS);
        const tenant = state.tenant(id);
        if (!tenant)
          throw new RescindError('ledger-inconsistent', {
            detail: `the ledger of ${id} belongs to no tenant of the control log`,
          });
        return tenant.key;
      },
      firstResources: (source) => first.get(source) ?? state.source(source) ?? { resources: [], profile: {} },
    });
  });
}

interface OpenDatabase {
  readonly pool: Pool;
  readonly url: string;
  /** Stopped when the work is done. */
  readonly lifecycle: Lifecycle;
}

/** Runs `work` on the configured database, beside a running service or without one. Uses an embedded PostgreSQL that runs as it is. */
export async function onDatabase<T>(
  config: Config,
  { log, max, timeouts }: { readonly log: Log; readonly max: number; readonly timeouts?: Partial<SessionTimeouts> },
  work: (database: OpenDatabase) => Promise<T>,
): Promise<T> {
  const lifecycle = createLifecycle(log);
  try {
    const running =
      config.database === 'embedded' ? await findEmbeddedPostgres(join(config.home, 'postgres')) : undefined;
    const url = running ?? (await startDatabase(config, log, lifecycle));
    const onIdleError = (err: Error): void => log.warn({ err }, 'an idle database connection was lost');
    const pool = createPool({
      url,
      max,
      applicationName: 'rescind-rebuild',
      onIdleError,
      ...(timeouts && { timeouts }),
    });
    lifecycle.onStop('database pool', () => pool.end());
    await checkServer(pool);
    return await work({ pool, url, lifecycle });
  } finally {
    await lifecycle.stop('rebuilt');
  }
}
