import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { run } from '../../../src/cli/run.js';
import { startRescind } from '../../../src/main.js';
import { MIGRATIONS } from '../../../src/migrations.js';
import { readConfig } from '../../../src/platform/config/index.js';
import { inTransaction, runMigrations, schemaMigration } from '../../../src/platform/postgres/index.js';
import { createTestDatabase, testLog, type TestDatabase } from '../../support/services.js';

const NAMES = MIGRATIONS.map((Migration) => new Migration().name);
/** Any number that no other session locks. */
const HELD = 7_423_999;
const POLL_MS = 5;

/** Waits, in the middle of its migration, for a lock that the spec holds. */
class Waits1900000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL lock_timeout = 0');
    await runner.query('SELECT pg_advisory_xact_lock($1)', [HELD]);
    await runner.query('CREATE TABLE made_once (id int)');
  }
  async down(): Promise<void> {}
}

class WidensNode1900000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE node ADD COLUMN later text');
  }
  async down(): Promise<void> {}
}

/** A migration of clones older than the present history of migrations. */
class ControlLog1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE control_log (seq bigint)');
  }
  async down(): Promise<void> {}
}

/** The first migration of this release, with other statements. */
const OtherControl = schemaMigration({
  stage: 'Control',
  at: Number(NAMES[0]!.slice(-13)),
  sql: 'CREATE TABLE control_log (seq bigint)',
  undo: 'DROP TABLE control_log',
});

let database: TestDatabase;
let home: string;
beforeEach(async () => {
  database = await createTestDatabase();
  home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
});
afterEach(async () => {
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

const environment = (more: Record<string, string> = {}) => ({
  RESCIND_HOME: home,
  PORT: '0',
  DATABASE_URL: database.url,
  KAFKA_BROKERS: 'none',
  LOG_LEVEL: 'silent',
  ...more,
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(POLL_MS);
}

async function rescind(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const sink = (name: 'out' | 'err') =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        written[name] += chunk.toString();
        done();
      },
    });
  const code = await run(words, { env: environment(), out: sink('out'), err: sink('err'), stdin: Readable.from([]) });
  return { code, ...written };
}

const tables = async (): Promise<number> =>
  (await database.pool.query(`SELECT FROM pg_tables WHERE schemaname = 'public'`)).rowCount!;

async function waitingSessions(lock: string): Promise<number> {
  const { rowCount } = await database.pool.query(
    `SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
      WHERE application_name = 'rescind-migrations' AND datname = current_database() AND NOT granted AND locktype = $1`,
    [lock],
  );
  return rowCount!;
}

describe('rescind migrate', () => {
  it('names what is pending and changes nothing, runs it, and has nothing to do after that', async () => {
    expect(await rescind('migrate', '--check')).toEqual({
      code: 1,
      err: '',
      out: expect.stringContaining(NAMES.map((name) => `  ${name}\n`).join('')),
    });
    expect(await tables()).toBe(0);
    expect(await rescind('migrate')).toEqual({
      code: 0,
      err: '',
      out: expect.stringContaining(NAMES.map((name) => `  ${name}\n`).join('')),
    });
    expect(await rescind('migrate', '--check')).toEqual({ code: 0, err: '', out: 'The database is up to date.\n' });
    expect(await rescind('migrate')).toEqual({ code: 0, err: '', out: 'The database is up to date.\n' });
  });

  it('names a pending migration among those that have run', async () => {
    await runMigrations({ url: database.url, migrations: MIGRATIONS.slice(0, -1) });
    const { code, out } = await rescind('migrate', '--check');
    expect([code, out.match(/^ {2}\w+$/gm)]).toEqual([1, [`  ${NAMES.at(-1)}`]]);
  });

  it.each([
    ['migrate', ControlLog1764000000000],
    ['migrate --check', ControlLog1764000000000],
    ['migrate', OtherControl],
  ])('refuses a database from before release 0.1.0, and says what to do: %s', async (words, Older) => {
    await runMigrations({ url: database.url, migrations: [Older] });
    const { code, out, err } = await rescind(...words.split(' '));
    expect([code, out]).toEqual([1, '']);
    expect(err).toBe(
      'rescind: schema-older: this database was made before release 0.1.0, and its tables cannot be brought up to date: use an empty database, and fill it from Kafka or with `rescind seed`\n',
    );
    expect(await tables()).toBe(2);
  });

  it.each([['migrate'], ['migrate --check']])(
    'refuses a database that a newer release has migrated: %s',
    async (words) => {
      await runMigrations({ url: database.url, migrations: [...MIGRATIONS, WidensNode1900000000001] });
      const { code, out, err } = await rescind(...words.split(' '));
      expect([code, out]).toEqual([1, '']);
      expect(err).toMatch(/^rescind: schema-newer: .*WidensNode1900000000001.*\n$/);
    },
  );
});

describe('a start', () => {
  const start = (more: Record<string, string> = {}) => startRescind(readConfig(environment(more)), { log: testLog() });

  it('migrates the database itself, unless MIGRATIONS=manual', async () => {
    await expect(start({ MIGRATIONS: 'manual' })).rejects.toMatchObject({
      code: 'migrations-pending',
      message: `MIGRATIONS=manual, and the database lacks ${NAMES.join(', ')}: run \`rescind migrate\` first`,
    });
    expect(await tables()).toBe(0);
    await (await start()).stop();
    await (await start({ MIGRATIONS: 'manual' })).stop();
  });

  it.each(['auto', 'manual'])('refuses a database from before release 0.1.0: MIGRATIONS=%s', async (MIGRATIONS_) => {
    await runMigrations({ url: database.url, migrations: [ControlLog1764000000000] });
    await expect(start({ MIGRATIONS: MIGRATIONS_ })).rejects.toMatchObject({
      code: 'schema-older',
      message: expect.stringContaining('use an empty database'),
    });
  });

  it.each(['auto', 'manual'])(
    'refuses a database that a newer release has migrated: MIGRATIONS=%s',
    async (MIGRATIONS_) => {
      await runMigrations({ url: database.url, migrations: [...MIGRATIONS, WidensNode1900000000001] });
      await expect(start({ MIGRATIONS: MIGRATIONS_ })).rejects.toMatchObject({
        code: 'schema-newer',
        message: expect.stringContaining('WidensNode1900000000001'),
      });
    },
  );
});

describe('migrations', () => {
  it('run once if two processes begin at the same time: the second waits for the first', async () => {
    const holder = await database.pool.connect();
    await holder.query('SELECT pg_advisory_lock($1)', [HELD]);
    const migrate = () => runMigrations({ url: database.url, migrations: [Waits1900000000000] });
    const both = [migrate(), migrate()];
    // One inside its migration, the other before it.
    await until(async () => (await waitingSessions('advisory')) === 2);
    await holder.query('SELECT pg_advisory_unlock($1)', [HELD]);
    holder.release();
    expect((await Promise.all(both)).map((names) => names.length).sort()).toEqual([0, 1]);
  });

  it('let the readers of a table pass while they wait for it, and run when the table is free', async () => {
    await runMigrations({ url: database.url, migrations: MIGRATIONS });
    let migrated: Promise<readonly string[]> | undefined;
    await inTransaction(database.pool, async (reader) => {
      await reader.query('SELECT FROM node');
      migrated = runMigrations({ url: database.url, migrations: [...MIGRATIONS, WidensNode1900000000001] });
      await until(async () => (await waitingSessions('relation')) === 1);
      // Waits behind the migration, which must give way before this transaction ends.
      await database.pool.query('SELECT FROM node');
    });
    expect(await migrated).toEqual(['WidensNode1900000000001']);
  });
});
