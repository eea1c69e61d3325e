import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MIGRATIONS } from '../../migrations.js';
import { type Config } from '../../platform/config/index.js';
import { findEmbeddedPostgres, startDatabase } from '../../platform/embedded/index.js';
import { type Log } from '../../platform/log/index.js';
import {
  checkServer,
  createPool,
  readSchemaState,
  refuseForeign,
  runMigrations,
} from '../../platform/postgres/index.js';
import { createLifecycle } from '../../platform/process/index.js';

/**
 * Runs the migrations that the database lacks and returns their names. Rejects with `schema-newer` if a newer release has migrated the
 * database.
 */
export const migrateSchema = (config: Config, log: Log): Promise<readonly string[]> =>
  onDatabase(config, log, (url) => runMigrations({ url, migrations: MIGRATIONS }));

/** Returns the names of the migrations that the database lacks; changes nothing. Rejects with `schema-newer` in the same case. */
export const checkSchema = (config: Config, log: Log): Promise<readonly string[]> =>
  onDatabase(config, log, async (url) => {
    const state = await readSchemaState({ url, migrations: MIGRATIONS });
    refuseForeign(state);
    return state.pending;
  });

/** Runs `work` on the database. Uses the embedded PostgreSQL of a running service as it is; starts the embedded PostgreSQL if none runs. */
async function onDatabase<T>(config: Config, log: Log, work: (url: string) => Promise<T>): Promise<T> {
  const lifecycle = createLifecycle(log);
  try {
    if (config.database === 'embedded') await mkdir(config.home, { recursive: true, mode: 0o700 });
    const running =
      config.database === 'embedded' ? await findEmbeddedPostgres(join(config.home, 'postgres')) : undefined;
    const url = running ?? (await startDatabase(config, log, lifecycle));
    const pool = createPool({
      url,
      max: 1,
      applicationName: 'rescind-migrate',
      onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost'),
    });
    lifecycle.onStop('database pool', () => pool.end());
    await checkServer(pool);
    return await work(url);
  } finally {
    await lifecycle.stop('migrated');
  }
}
