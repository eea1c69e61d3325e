import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client, type Pool } from 'pg';
import { startEmbeddedPostgres, startLocalKafka } from '../../src/platform/embedded/index.js';
import { createLog, type Log } from '../../src/platform/log/index.js';
import { createPool } from '../../src/platform/postgres/index.js';

/** Directory of Kafka's jars during a run, so that each start does not resolve them again. */
export const KAFKA_LIBRARIES = resolve('node_modules/.cache/rescind-kafka');

export interface TestDatabase {
  readonly url: string;
  readonly pool: Pool;
  /** Ends the pool and drops the database, whoever is still connected. */
  drop(): Promise<void>;
}

/** A database on the run's server, for one spec file: empty, or a copy of one that nobody is connected to. */
export async function createTestDatabase(template?: string): Promise<TestDatabase> {
  const server = new URL(fromEnvironment('TEST_DATABASE_URL'));
  const name = uniqueName('spec').replaceAll('-', '_');
  await onServer(server, `CREATE DATABASE ${name}${template === undefined ? '' : ` TEMPLATE ${template}`}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const pool = createPool({ url: url.href, max: 8, applicationName: name });
  return {
    url: url.href,
    pool,
    async drop() {
      await pool.end();
      await onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/** A database that has the product's tables already. */
export const createMigratedDatabase = (): Promise<TestDatabase> =>
  createTestDatabase(fromEnvironment('TEST_MIGRATED_DATABASE'));

export interface TestTemplate {
  copy(): Promise<TestDatabase>;
  drop(): Promise<void>;
}

/** A database that is filled once and copied often. */
export async function createTestTemplate(fill: (database: TestDatabase) => Promise<unknown>): Promise<TestTemplate> {
  const database = await createTestDatabase();
  await fill(database);
  await database.pool.end();
  const name = new URL(database.url).pathname.slice(1);
  return {
    copy: () => createTestDatabase(name),
    drop: () => onServer(new URL(fromEnvironment('TEST_DATABASE_URL')), `DROP DATABASE ${name}`),
  };
}

/** Addresses of the run's Kafka. Name topics and groups with {@link uniqueName}: all spec files share it. */
export function testBrokers(): string[] {
  return fromEnvironment('TEST_KAFKA_BROKERS').split(',');
}

export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`;
}

export function testLog(): Log {
  return createLog({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
}

export interface OwnService {
  /** Kept until `remove`, so that the service can be started again on its data. */
  readonly directory: string;
  /** SIGKILL, as in a crash. The caller waits for what it wants to see next. */
  kill(): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops it if it runs, and deletes its data. */
  remove(): Promise<void>;
}

/** A PostgreSQL for one spec that breaks it; not started yet. */
export async function ownPostgres(): Promise<OwnService & { readonly url: string }> {
  const directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  let running: Awaited<ReturnType<typeof startEmbeddedPostgres>> | undefined;
  return {
    directory,
    get url() {
      if (running === undefined) throw new TypeError('not started');
      return running.url;
    },
    ...controlled(directory, async () => {
      running = await startEmbeddedPostgres({ directory, log: testLog() });
      return running;
    }),
  };
}

/** A Kafka for one spec that breaks it; not started yet. */
export async function ownKafka(): Promise<OwnService & { readonly brokers: string[] }> {
  const directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  let running: Awaited<ReturnType<typeof startLocalKafka>> | undefined;
  return {
    directory,
    get brokers() {
      if (running === undefined) throw new TypeError('not started');
      return running.brokers;
    },
    ...controlled(directory, async () => {
      running = await startLocalKafka({ directory, libraries: KAFKA_LIBRARIES, log: testLog() });
      return running;
    }),
  };
}

function controlled(
  directory: string,
  start: () => Promise<{ pid: number; stop(): Promise<void> }>,
): Omit<OwnService, 'directory'> {
  let running: { pid: number; stop(): Promise<void> } | undefined;
  let starting: Promise<unknown> | undefined;
  const stop = async (): Promise<void> => {
    // A hook that timed out leaves a start behind, which would outlive the spec.
    await starting?.catch(() => undefined);
    await running?.stop();
    running = undefined;
  };
  return {
    kill() {
      if (running === undefined) throw new TypeError('not started');
      process.kill(running.pid, 'SIGKILL');
    },
    async start() {
      await stop(); // Collects a killed one.
      const started = start();
      starting = started;
      running = await started;
    },
    stop,
    async remove() {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function onServer(server: URL, statement: string): Promise<void> {
  const client = new Client({ connectionString: server.href });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function fromEnvironment(variable: string): string {
  const value = process.env[variable];
  if (value === undefined) throw new Error(`${variable} is not set: run the spec in jest's project "services"`);
  return value;
}
