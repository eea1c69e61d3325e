import { MIGRATIONS } from '../../migrations.js';
import type { Config } from '../../platform/config/index.js';
import { requireMigrated, runMigrations } from '../../platform/postgres/index.js';

/** Migrates the database, or refuses one that somebody else is to migrate and has not. */
export async function prepareSchema(config: Config, url: string): Promise<void> {
  await (config.migrations === 'auto' ? runMigrations : requireMigrated)({ url, migrations: MIGRATIONS });
}
