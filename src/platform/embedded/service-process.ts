import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Log } from '../log/index.js';
import { type RunningProcess, endProcess, findProcess } from '../process/index.js';

/** Variables that a service's programs need: to find other programs, a home, a directory for temporary files, a time zone. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
  'TZ',
  'JAVA_HOME',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
] as const;

/** Returns the environment of a service. It holds no variable of Rescind, above all no password of the configuration. */
export function serviceEnvironment(): NodeJS.ProcessEnv {
  const passed = PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return { ...Object.fromEntries(passed), LC_ALL: 'C' };
}

/** Lines of a service's output that are kept for the error when it ends. */
export const LAST_LINES_KEPT = 40;
/** Seconds that a service may take to end by itself after its parent was killed. Then it is killed too. */
const ORPHAN_GRACE_S = 20;

export interface ServiceProcess {
  readonly pid: number;
  /** How the process ended, such as `exit code 1`; undefined while it runs. */
  ended(): string | undefined;
  readonly exited: Promise<string>;
  lastLines(): string;
  stop(): Promise<void>;
  /** Sends SIGKILL if the process runs; `exited` resolves when it is gone. */
  kill(): void;
}

export interface ServiceOptions {
  name: string;
  command: string;
  args: readonly string[];
  uid?: number;
  gid?: number;
  stopSignal: NodeJS.Signals;
  stopTimeoutMs: number;
  log: Log;
}

/**
 * Starts a service in a session of its own, so that a Ctrl-C in the terminal reaches only Rescind, which stops its parts in order.
 * A guard process ends the service if this process ends without stopping it, even by SIGKILL.
 */
export async function startService(options: ServiceOptions): Promise<ServiceProcess> {
  const { name, log } = options;
  const child = spawn(options.command, options.args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: serviceEnvironment(),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  const lines: string[] = [];
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > LAST_LINES_KEPT) lines.shift();
      log.debug({ service: name }, line);
    });
  }
  let end: string | undefined;
  const exited = new Promise<string>((resolve) => {
    child.once('close', (code, signal) => {
      end ??= signal === null ? `exit code ${code}` : `signal ${signal}`;
      resolve(end);
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const pid = child.pid!;
  const self: RunningProcess = (await findProcess(pid)) ?? { pid, startedAt: '', command: '' };
  const guard = startOrphanGuard(pid, options.stopSignal);
  void exited.then(() => guard.stdin?.end('ended\n'));

  return {
    pid,
    ended: () => end,
    exited,
    lastLines: () => lines.join('\n'),
    async stop() {
      if (end !== undefined) return;
      await endProcess(self, [
        { signal: options.stopSignal, waitMs: options.stopTimeoutMs },
        { signal: 'SIGKILL', waitMs: 5_000 },
      ]);
      await exited;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** Starts the guard. Its standard input closes when this process ends, however it ends. A line on it says that nothing is left to guard. */
function startOrphanGuard(pid: number, signal: NodeJS.Signals): ChildProcess {
  const script = `
    if read -r line; then exit 0; fi
    kill -s "$2" "$1" 2>/dev/null || exit 0
    waited=0
    while [ "$waited" -lt ${ORPHAN_GRACE_S} ] && kill -0 "$1" 2>/dev/null; do sleep 1; waited=$((waited + 1)); done
    kill -s KILL "$1" 2>/dev/null`;
  const guard = spawn('/bin/sh', ['-c', script, 'rescind-guard', String(pid), signal.replace(/^SIG/, '')], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: serviceEnvironment(),
  });
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  guard.unref();
  return guard;
}
