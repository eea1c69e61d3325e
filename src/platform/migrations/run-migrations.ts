import { DataSource, type MigrationInterface } from 'typeorm';

/** Held while migrations run, so that processes that start together do not both make the same table. */
const MIGRATION_LOCK = 7_423_001;

/** Brings the schema up to date: each migration once, all in one transaction, in the order of their timestamps. */
export async function runMigrations(options: {
  readonly url: string;
  readonly migrations: readonly (new () => MigrationInterface)[];
}): Promise<readonly string[]> {
  const source = new DataSource({
    type: 'postgres',
    url: options.url,
    applicationName: 'rescind-migrations',
    migrations: [...options.migrations],
    migrationsTableName: 'migration',
    poolSize: 2,
  });
  await source.initialize();
  const runner = source.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const done = await source.runMigrations({ transaction: 'all' });
    return done.map(({ name }) => name);
  } finally {
    await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await runner.release();
    await source.destroy();
  }
}
