import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import type { CheckLog } from './history.js';
import type { Link } from './link.js';
import type { Population } from './population.js';

/** A message to a checking process about tokens, which are named by their numbers in the history. */
export interface Told {
  /** Texts of tokens that are recorded from now on. */
  readonly know?: readonly (readonly [token: number, text: string])[];
  /** May be active: drawn often. */
  readonly live?: readonly number[];
  /** Will not be active any more: drawn rarely. */
  readonly dead?: readonly number[];
  /** Tokens to ask about now, in every way there is. */
  readonly focus?: readonly number[];
}

/** A process that checks tokens from outside, by its own ways. */
export interface Load {
  tell(told: Told): void;
  stop(): Promise<void>;
}

/** Parts that a checking process depends on: the tokens it draws from, and the log of its checks. */
export interface Surroundings {
  readonly population: Population;
  readonly log: CheckLog;
  readonly onTrouble: (error: Error) => void;
}

export interface NodeLoadOptions extends Surroundings {
  readonly nodes: readonly { readonly port: number; readonly via: number }[];
  /** A node; each has one question under way, */
  readonly connections: number;
  /** but so many of them, which pipeline several. */
  readonly pipelining: number;
  /** Questions a node. */
  readonly perSecond: number;
  readonly authorization: string;
  /** Credentials of a caller whose questions about unknown tokens wait for facts. */
  readonly waitingAuthorization: string;
}

/** A process that introspects at the nodes. */
export async function startNodeLoad({ population, log, onTrouble, ...start }: NodeLoadOptions): Promise<Load> {
  const child = forkProgram('load-process.mjs');
  let stopping = false;
  collect(child, log, onTrouble);
  child.on('exit', () => stopping || onTrouble(new Error('the checking process ended')));
  await once(child, 'message');
  child.send({ start });
  const load: Load = {
    tell: tellTo(child),
    async stop() {
      stopping = true;
      population.detach(load);
      await end(child);
    },
  };
  population.attach(load);
  return load;
}

/** A process with a guard in it, that can be killed, stopped and cut off. */
export interface GuardProcess {
  readonly name: string;
  readonly link: Link;
  /** Under a fresh id, as every start of a guard. */
  start(): Promise<void>;
  kill(): Promise<void>;
  /** In order: it gives its lease back. */
  leave(): Promise<void>;
  /** SIGSTOP until the returned function is called. */
  pause(): () => void;
}

export interface GuardProcessOptions extends Surroundings {
  readonly name: string;
  readonly via: number;
  /** Its way to the nodes. */
  readonly link: Link;
  /** Directory of the compiled product. */
  readonly product: string;
  /** API key of a caller with the role `guard`. */
  readonly key: string;
  /** Checks. */
  readonly perSecond: number;
}

export function createGuardProcess({
  name,
  via,
  link,
  product,
  key,
  perSecond,
  population,
  log,
  onTrouble,
}: GuardProcessOptions): GuardProcess {
  let child: ChildProcess | undefined;
  let load: Load | undefined;

  async function gone(ask: (running: ChildProcess) => void): Promise<void> {
    if (!child || !load) return;
    population.detach(load);
    const exit = once(child, 'exit');
    ask(child);
    await exit;
    child = undefined;
  }

  return {
    name,
    link,
    async start() {
      const started = forkProgram('guard-process.mjs', join(product, 'guard', 'index.js'));
      collect(started, log, onTrouble);
      await once(started, 'message');
      started.send({ start: { rescind: `http://127.0.0.1:${link.port}`, key, via, perSecond } });
      child = started;
      load = { tell: tellTo(started), stop: () => end(started) };
      population.attach(load);
    },
    kill: () => gone((running) => void running.kill('SIGKILL')),
    leave: () => gone((running) => void running.send({ leave: true })),
    pause() {
      const paused = child!;
      paused.kill('SIGSTOP');
      return () => void paused.kill('SIGCONT');
    },
  };
}

const forkProgram = (program: string, ...args: readonly string[]): ChildProcess =>
  fork(resolve('test/fault/linearizability', program), args, { serialization: 'advanced', execArgv: [] });

const tellTo =
  (child: ChildProcess) =>
  (told: Told): void => {
    if (child.connected) child.send(told, () => undefined);
  };

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.disconnect();
  await gone;
}

/** Numbers of one check, in the order in which the programs write them. */
const MEMBERS = 5;

/** Writes down what the process tells. */
function collect(child: ChildProcess, log: CheckLog, onTrouble: (error: Error) => void): void {
  child.on(
    'message',
    (message: { readonly checks?: Float64Array; readonly behind?: number; readonly unexpected?: string }) => {
      if (message.unexpected !== undefined)
        onTrouble(new Error(`an answer that nobody promised: ${message.unexpected}`));
      const { checks = new Float64Array(), behind = 0 } = message;
      log.behind += behind;
      for (let at = 0; at < checks.length; at += MEMBERS)
        log.push(checks[at]!, checks[at + 1]!, checks[at + 2]!, checks[at + 3]!, checks[at + 4]!);
    },
  );
}
