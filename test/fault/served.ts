import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { KAFKA_LIBRARIES } from '../support/services.js';

/** `npm test` builds it first. */
const RESCIND = resolve('dist/cli/rescind.js');
const POLL_MS = 20;

export interface Served {
  readonly pid: number;
  /** Both streams so far. */
  out(): string;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly at: number;
  }>;
}

/** A command of the command line, in a process of its own; its embedded services lie in `home`. */
export function runRescind(args: readonly string[], home: string, more: Readonly<Record<string, string>> = {}): Served {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    NODE_OPTIONS: '',
    PORT: '0',
    RESCIND_HOME: home,
    LEASE_SECONDS: '2',
    ...more,
  };
  const child = spawn(process.execPath, [RESCIND, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (out += chunk.toString()));
  return {
    pid: child.pid!,
    out: () => out,
    signal: (name) => void child.kill(name),
    ended: new Promise((done) => child.once('exit', (code, signal) => done({ code, signal, at: performance.now() }))),
  };
}

/** A home for embedded services, with the jars that the run has already. */
export async function makeHome(below = ''): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-home-`));
  const kafka = join(home, below, 'kafka');
  await mkdir(kafka, { recursive: true, mode: 0o700 });
  for (const name of await readdir(KAFKA_LIBRARIES))
    if (name.startsWith('lib-')) await symlink(join(KAFKA_LIBRARIES, name), join(kafka, name));
  return home;
}

/** Services of a Rescind that was killed may write for a moment until their guards have ended them. */
export const removeHome = (home: string): Promise<void> =>
  rm(home, { recursive: true, force: true, maxRetries: 40, retryDelay: 250 });

export const postmasterPid = async (directory: string): Promise<number> =>
  Number((await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);
export const postgresPid = (home: string): Promise<number> => postmasterPid(join(home, 'postgres'));
export const kafkaPid = async (home: string): Promise<number> =>
  (JSON.parse(await readFile(join(home, 'kafka', 'broker.json'), 'utf8')) as { pid: number }).pid;

/** Asks again until it is there; ends early, with what it said, when the process ends. Jest's own limit ends a wait for what never comes. */
export async function untilSeen<T>(served: Served, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  let isOver = false;
  void served.ended.then(() => (isOver = true));
  for (;;) {
    const seen = await Promise.resolve(look()).catch(() => undefined);
    if (seen !== undefined) return seen;
    if (isOver) throw new Error(`the process ended: ${served.out()}`);
    await delay(POLL_MS);
  }
}

export const untilUp = (served: Served): Promise<string> =>
  untilSeen(served, () => /Rescind answers at (http:\S+?),? /.exec(`${served.out().replaceAll('\n', ' ')} `)?.[1]);
