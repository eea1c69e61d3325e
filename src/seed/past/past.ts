import { RescindError } from '../../contracts/index.js';
import { createControlFollower, createControlLog, type ControlFollower, type ControlLog } from '../../control/index.js';
import { createAppender, type Appender } from '../../ingest/index.js';
import { MIGRATIONS } from '../../migrations.js';
import { type Log } from '../../platform/log/index.js';
import { createMetrics } from '../../platform/observe/index.js';
import { runMigrations, type Pool } from '../../platform/postgres/index.js';
import {
  ADMIN_CALLER,
  bootstrap,
  createRegistry,
  DEFAULT_TENANT,
  type Actor,
  type Registry,
} from '../../registry/index.js';
import { countEntries, outboxEmpty } from './seed-ledger.pg.js';
import { openSeededSessions } from './seeded-clock.pg.js';
import { writeEvents, type Writing, type Written } from './write-events.js';

/** An empty ledger whose clock stands where it is set, so that a past is entered at the times at which it happened. */
export interface Past {
  readonly pool: Pool;
  readonly controlLog: ControlLog;
  readonly follower: ControlFollower;
  readonly registry: Registry;
  /** The administrator of the tenant. */
  readonly actor: Actor;
  /** Administrator's key of a tenant that was created for the past. It is shown once. */
  readonly adminKey: string | undefined;
  /** Sets the time to `at` (epoch seconds). */
  setClock(at: number): Promise<void>;
  /** Resolves when every control record has its entry. */
  settle(): Promise<void>;
  write(writing: Writing): Promise<Written>;
  countEntries(): Promise<number>;
  stop(): Promise<void>;
}

export interface PastOptions {
  readonly databaseUrl: string;
  /** Directory of the administrator's key; this first start creates the key if it is missing. */
  readonly home: string;
  readonly log: Log;
  /** Time at which the past begins, epoch seconds. */
  readonly start: number;
  readonly tenant?: string;
}

/** Opens the past of a tenant, which it creates if it is missing. Throws `already-exists` if the tenant's ledger has any entry. */
export async function openPast({
  databaseUrl,
  home,
  log,
  start,
  tenant: name = DEFAULT_TENANT,
}: PastOptions): Promise<Past> {
  await runMigrations({ url: databaseUrl, migrations: MIGRATIONS });
  const sessions = await openSeededSessions(databaseUrl);
  const { pool } = sessions;
  const controlLog = createControlLog({ pool });
  const follower = createControlFollower({ url: databaseUrl, controlLog, log, serves: false });
  let appender: Appender | undefined;
  const stop = async (): Promise<void> => {
    await appender?.stop();
    await follower.stop();
    await sessions.stop();
  };
  try {
    await sessions.setClock(start);
    await follower.start();
    const known = follower.state.tenantByName(name);
    if (known && (await countEntries(pool, known.id)) > 0) {
      throw new RescindError('already-exists', {
        detail: `the ledger of the tenant ${name} is not empty: name a new tenant`,
      });
    }
    await bootstrap({ home, controlLog, follower });
    const registry = createRegistry({ controlLog, follower });
    const { actor, adminKey } = await tenantOf(registry, follower, name);
    appender = createAppender({ pool, controlLog, follower, log, metrics: createMetrics() });
    await appender.start();
    const doors = { sessions, follower, appender };
    return {
      pool,
      controlLog,
      follower,
      registry,
      actor,
      adminKey,
      setClock: (at) => sessions.setClock(at),
      settle: () => outboxEmpty(pool),
      write: (writing) => writeEvents(doors, writing),
      countEntries: () => countEntries(pool, actor.tenant),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function tenantOf(
  registry: Registry,
  follower: ControlFollower,
  name: string,
): Promise<{ actor: Actor; adminKey: string | undefined }> {
  const first: Actor = { id: ADMIN_CALLER, tenant: follower.state.tenantByName(DEFAULT_TENANT)!.id };
  const known = follower.state.tenantByName(name);
  if (known)
    return {
      actor: { id: name === DEFAULT_TENANT ? ADMIN_CALLER : `${name}-admin`, tenant: known.id },
      adminKey: undefined,
    };
  const { id, admin } = await registry.createTenant(first, { name });
  const actor = { id: admin.id, tenant: id };
  // The first administrator of a new tenant has only the role `admin`; the questions need more.
  await registry.updateCaller(actor, admin.id, { roles: { admin: {}, audit: {}, revoke: { tenant: true } } });
  return { actor, adminKey: admin.secret };
}
