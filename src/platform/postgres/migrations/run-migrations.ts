import { setTimeout as delay } from 'node:timers/promises';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { RescindError } from '../../../contracts/index.js';

/** Advisory lock held while migrations run, so that processes that start together do not create the same table twice. */
const MIGRATION_LOCK = 7_423_001;

/** While a migration waits for a table's lock, every later session waits behind it, even to read. */
const TABLE_LOCK_WAIT_MS = 1_000;
/** Pause between two attempts, in which the serving nodes catch up. */
const TABLE_LOCK_RETRY_MS = 1_000;
/** About a minute in total: longer than any transaction of a node may last (`DEFAULT_TIMEOUTS`). */
const TABLE_LOCK_ATTEMPTS = 40;
const LOCK_NOT_AVAILABLE = '55P03';

export interface SchemaOptions {
  readonly url: string;
  /** Migrations of this release, in order. */
  readonly migrations: readonly (new () => MigrationInterface)[];
}

/** Compares the names of this release's migrations with the database's. */
export interface SchemaState {
  /** Migrations of this release that the database lacks. */
  readonly pending: readonly string[];
  /** Migrations of the database that this release does not know: a newer release ran them. */
  readonly unknown: readonly string[];
  /** Migrations of the database from before the first one of this release, or with other statements under the same time: no release reads their tables. */
  readonly outdated: readonly string[];
}

/** Compares the database with this release and changes nothing. */
export function readSchemaState(options: SchemaOptions): Promise<SchemaState> {
  return withSource(options, (source) => compare(source, (sql) => source.query(sql)));
}

/**
 * Brings the schema up to date: runs each missing migration once, all in one transaction, in the order of their timestamps. Waits for
 * another process that migrates. Resolves to the names of the migrations that it ran. Rejects with `schema-newer` if a newer release has
 * migrated the database.
 */
export function runMigrations(options: SchemaOptions): Promise<readonly string[]> {
  return withSource(options, async (source) => {
    const runner = source.createQueryRunner();
    try {
      await takeLock(runner);
      refuseForeign(await compare(source, (sql) => runner.query(sql)));
      return await runPatiently(source);
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
      await runner.release();
    }
  });
}

/** Refuses a database that this release cannot work with: `migrations-pending`, `schema-newer` or `schema-older`. Changes nothing. */
export async function requireMigrated(options: SchemaOptions): Promise<void> {
  const state = await readSchemaState(options);
  refuseForeign(state);
  if (state.pending.length === 0) return;
  throw new RescindError('migrations-pending', {
    detail: `MIGRATIONS=manual, and the database lacks ${state.pending.join(', ')}: run \`rescind migrate\` first`,
  });
}

/** Refuses a database that a newer release has migrated (`schema-newer`), or that was made before release 0.1.0 (`schema-older`). */
export function refuseForeign({ unknown, outdated }: SchemaState): void {
  if (outdated.length > 0) {
    throw new RescindError('schema-older', {
      detail:
        'this database was made before release 0.1.0, and its tables cannot be brought up to date: use an empty database, and fill it from Kafka or with `rescind seed`',
    });
  }
  if (unknown.length === 0) return;
  throw new RescindError('schema-newer', {
    detail: `the database has migrations that this release does not know (${unknown.join(', ')}): run the release that made them, or a newer one`,
  });
}

type Ask = (sql: string) => Promise<readonly Record<string, unknown>[]>;

async function compare(source: DataSource, ask: Ask): Promise<SchemaState> {
  const known = source.migrations.map((migration) => migration.name ?? migration.constructor.name);
  const [table] = await ask(`SELECT to_regclass('migration') IS NOT NULL AS exists`);
  const executed =
    table!['exists'] === true
      ? (await ask('SELECT name FROM migration ORDER BY id')).map(({ name }) => String(name))
      : [];
  const foreign = executed.filter((name) => !known.includes(name));
  const times = known.map(timestampOf);
  const isOutdated = (name: string) => timestampOf(name) < Math.min(...times) || times.includes(timestampOf(name));
  return {
    pending: known.filter((name) => !executed.includes(name)),
    unknown: foreign.filter((name) => !isOutdated(name)),
    outdated: foreign.filter(isOutdated),
  };
}

/** TypeORM's order: the name of a migration ends with its time in milliseconds. */
const timestampOf = (name: string): number => Number(name.slice(-13));

async function takeLock(runner: QueryRunner): Promise<void> {
  // Another process's migrations may take long, and only processes that want to migrate wait behind this lock.
  await runner.query('SET lock_timeout = 0');
  await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
}

async function runPatiently(source: DataSource): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await source.runMigrations({ transaction: 'all' })).map(({ name }) => name);
    } catch (cause) {
      if ((cause as { code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw cause;
      if (attempt === TABLE_LOCK_ATTEMPTS)
        throw new RescindError('database-unavailable', {
          detail: 'a migration could not lock its tables: end the long statements on them, and try again',
          cause,
        });
      await delay(TABLE_LOCK_RETRY_MS);
    }
  }
}

async function withSource<T>({ url, migrations }: SchemaOptions, work: (source: DataSource) => Promise<T>): Promise<T> {
  const source = new DataSource({
    type: 'postgres',
    url,
    applicationName: 'rescind-migrations',
    migrations: [...migrations],
    migrationsTableName: 'migration',
    poolSize: 2,
    // Quiet: failures are thrown, and a migration that only waits for a table needs no log line.
    logger: 'debug',
    extra: { options: `-c lock_timeout=${TABLE_LOCK_WAIT_MS}` },
  });
  await source.initialize();
  try {
    return await work(source);
  } finally {
    await source.destroy();
  }
}
