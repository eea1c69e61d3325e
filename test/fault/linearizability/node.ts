import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { STOP_DEADLINE_MET } from '../../../src/platform/process/index.js';
import type { Link } from './link.js';

/** A start that found the database or Kafka away is repeated. */
const RESTART_AFTER_MS = 300;
/** Its connections are closed, its last grants end, and what cannot be finished is given up step by step. */
const LEAVE_TIMEOUT_MS = 120_000;

/** One process of `rescind serve`. Its way to PostgreSQL is a link of its own. */
export interface Node {
  readonly name: string;
  readonly port: number;
  readonly link: Link;
  /** Whether it has the role. */
  readonly ingests: boolean;
  /** Whether calls to it make sense: it has said that it answers, and nobody has ended it. */
  readonly isUp: boolean;
  /** Starts it, again and again until it answers or is ended. */
  start(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /**
   * SIGTERM; resolves when it has gone, in order or at the deadline of its own stop: with a link broken beside it, or on a slow machine, its
   * steps may not be done by then. Rejects when it does not go, or fails for another reason.
   */
  leave(): Promise<void>;
  /** SIGSTOP until the returned function is called. */
  pause(): () => void;
}

export interface NodeOptions {
  readonly name: string;
  /** Directory of the compiled product. */
  readonly product: string;
  readonly port: number;
  readonly link: Link;
  /** Directory for its home and its log. */
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
}

export function createNode({ name, product, port, link, directory, environment }: NodeOptions): Node {
  let child: ChildProcess | undefined;
  let isUp = false;
  let wanted = false;
  const isWanted = (): boolean => wanted;
  let metItsDeadline = false;

  async function launch(): Promise<boolean> {
    const output = createWriteStream(join(directory, `${name}.log`), { flags: 'a' });
    const started = spawn(process.execPath, [join(product, 'cli', 'rescind.js'), 'serve'], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    metItsDeadline = false;
    createInterface({ input: started.stderr! }).on('line', (line) => {
      output.write(`${line}\n`);
      metItsDeadline ||= line.includes(STOP_DEADLINE_MET);
    });
    const gone = once(started, 'exit').then(() => {
      if (child === started) isUp = false;
      return false;
    });
    const answers = new Promise<boolean>((resolve) => {
      createInterface({ input: started.stdout! }).on('line', (line) => {
        output.write(`${line}\n`);
        if (line.startsWith('Rescind answers at')) resolve(true);
      });
    });
    return Promise.race([answers, gone]);
  }

  async function end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    wanted = false;
    isUp = false;
    const ending = child;
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return 0;
    // Its output has been read by then.
    const gone = once(ending, 'close') as Promise<[number | null]>;
    ending.kill(signal);
    const timeout = delay(LEAVE_TIMEOUT_MS, undefined, { ref: false });
    const exit = await Promise.race([gone, timeout]);
    if (exit) return exit[0];
    ending.kill('SIGKILL');
    throw new Error(`${name} did not go within ${LEAVE_TIMEOUT_MS} ms of ${signal}`);
  }

  return {
    name,
    port,
    link,
    ingests: environment['ROLES'] === 'all',
    get isUp() {
      return isUp;
    },
    async start() {
      wanted = true;
      while (isWanted()) {
        if (await launch()) {
          isUp = isWanted();
          return;
        }
        if (isWanted()) await delay(RESTART_AFTER_MS);
      }
    },
    async kill() {
      await end('SIGKILL');
    },
    async leave() {
      const code = await end('SIGTERM');
      if (code !== 0 && !metItsDeadline) throw new Error(`${name} ended with ${String(code)} after SIGTERM`);
    },
    pause() {
      const paused = child!;
      paused.kill('SIGSTOP');
      return () => void paused.kill('SIGCONT');
    },
  };
}

/** A port that is free now and, with luck, when a node wants it again after a restart. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
