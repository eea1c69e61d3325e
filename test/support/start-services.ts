import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type * as Embedded from '../../src/platform/embedded/index.js';
import type * as Logging from '../../src/platform/log/index.js';
import type * as Migrations from '../../src/migrations.js';
import type * as Postgres from '../../src/platform/postgres/index.js';

const PREFIX = 'rescind-test-';

/** The servers' data lies in memory if there is this much, because each commit and each dropped database waits for the disk. */
const ROOM_BYTES = 8 * 2 ** 30;
const MEMORY = '/dev/shm';

/** The file in which `npm run services` notes the servers that it keeps up. */
export const KEPT_SERVICES = '.rescind/services.json';

export interface KeptServices {
  /** Process id of `npm run services`. */
  readonly pid: number;
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
}

export interface Servers {
  readonly postgres: Embedded.EmbeddedPostgres;
  readonly kafka: Embedded.LocalKafka;
  stop(): Promise<void>;
}

declare global {
  var rescindTestServices: Pick<Servers, 'stop'> | undefined;
}

/**
 * One PostgreSQL and one Kafka for the whole run. Specs find them through `test/support/services.ts`. With `TEST_SERVICES=kept` they are
 * those that `npm run services` keeps up, if it does; otherwise they are the run's own, and end with it.
 */
export default async function startServices(): Promise<void> {
  const kept = process.env['TEST_SERVICES'] === 'kept' ? await keptServices() : undefined;
  if (kept !== undefined) {
    // Specs that start processes of their own need the build as well.
    build();
    tellSpecs(kept);
    globalThis.rescindTestServices = { stop: await makeMigrated(kept.databaseUrl) };
    return;
  }
  const servers = await startServers();
  tellSpecs({ databaseUrl: servers.postgres.url, brokers: servers.kafka.brokers });
  globalThis.rescindTestServices = servers;
  await makeMigrated(servers.postgres.url);
}

/** Makes a database with the product's tables, which specs copy: a copy takes a fifth of the time. Returns what drops it. */
async function makeMigrated(serverUrl: string): Promise<() => Promise<void>> {
  const { createPool, runMigrations } = (await import(resolve('dist/platform/postgres/index.js'))) as typeof Postgres;
  const { MIGRATIONS } = (await import(resolve('dist/migrations.js'))) as typeof Migrations;
  const name = `migrated_${process.pid}`;
  const onServer = async (statement: string): Promise<void> => {
    const pool = createPool({ url: serverUrl, max: 1, applicationName: 'specs' });
    await pool.query(statement).finally(() => pool.end());
  };
  await onServer(`CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await runMigrations({ url: url.href, migrations: MIGRATIONS });
  process.env['TEST_MIGRATED_DATABASE'] = name;
  return () => onServer(`DROP DATABASE ${name}`);
}

function tellSpecs({ databaseUrl, brokers }: Pick<KeptServices, 'databaseUrl' | 'brokers'>): void {
  process.env['TEST_DATABASE_URL'] = databaseUrl;
  process.env['TEST_KAFKA_BROKERS'] = brokers.join(',');
}

/**
 * Starts both in a temporary directory, in memory if there is room. When the process is interrupted, the platform's guard ends both and the next run removes what
 * they left.
 */
export async function startServers(): Promise<Servers> {
  removeLeftovers();
  build();
  // jest loads this file as CommonJS and cannot follow the sources' imports from here, so the services come from the build.
  const { createLog } = (await import(resolve('dist/platform/log/index.js'))) as typeof Logging;
  const { startEmbeddedPostgres, startLocalKafka } = (await import(
    resolve('dist/platform/embedded/index.js')
  )) as typeof Embedded;
  const log = createLog({ level: 'warn' });
  const directory = mkdtempSync(join(hasRoom(MEMORY) ? MEMORY : tmpdir(), `${PREFIX}${process.pid}-`));
  const [postgres, kafka] = await Promise.allSettled([
    startEmbeddedPostgres({ directory: join(directory, 'postgres'), log }),
    startLocalKafka({
      directory: join(directory, 'kafka'),
      libraries: resolve('node_modules/.cache/rescind-kafka'),
      log,
    }),
  ]);
  const stop = async (): Promise<void> => {
    await Promise.all(
      [postgres, kafka].map((started) => (started.status === 'fulfilled' ? started.value.stop() : undefined)),
    );
    rmSync(directory, { recursive: true, force: true });
  };
  if (postgres.status === 'fulfilled' && kafka.status === 'fulfilled')
    return { postgres: postgres.value, kafka: kafka.value, stop };
  await stop();
  throw postgres.status === 'rejected' ? postgres.reason : (kafka as PromiseRejectedResult).reason;
}

/** Finds the servers of `npm run services`; undefined unless it runs and both take connections. */
export async function keptServices(): Promise<KeptServices | undefined> {
  let kept: KeptServices;
  try {
    kept = JSON.parse(readFileSync(KEPT_SERVICES, 'utf8')) as KeptServices;
  } catch {
    return undefined;
  }
  if (!isAlive(kept.pid)) return undefined;
  const addresses = [kept.databaseUrl, ...kept.brokers.map((broker) => `kafka://${broker}`)].map((url) => new URL(url));
  const answers = await Promise.all(addresses.map(({ hostname, port }) => takesConnections(hostname, Number(port))));
  return answers.every(Boolean) ? kept : undefined;
}

async function takesConnections(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function build(): void {
  // A type error elsewhere does not stop the compiler from writing; `npm run typecheck` is where it is reported.
  spawnSync(process.execPath, ['test/support/build-if-older.mjs'], { stdio: 'ignore' });
}

function hasRoom(directory: string): boolean {
  if (!existsSync(directory)) return false;
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize > ROOM_BYTES;
}

function removeLeftovers(): void {
  for (const parent of [tmpdir(), MEMORY].filter(existsSync)) {
    for (const name of readdirSync(parent)) {
      const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
      if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(parent, name), { recursive: true, force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
