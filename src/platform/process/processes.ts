import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const POLL_INTERVAL_MS = 25;

export interface RunningProcess {
  readonly pid: number;
  /** Distinguishes this process from a later one with the same pid. Only compare it. */
  readonly startedAt: string;
  readonly command: string;
}

/** Finds the process with this pid. Undefined if there is none, or if it is a zombie. */
export async function findProcess(pid: number): Promise<RunningProcess | undefined> {
  if (!Number.isSafeInteger(pid) || pid < 1) return undefined;
  return process.platform === 'linux' ? readProc(pid) : readPs(pid);
}

async function readProc(pid: number): Promise<RunningProcess | undefined> {
  try {
    const [stat, command, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    // proc(5): the second field, in parentheses, may contain anything; the state is field 3 and the start time field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return { pid, startedAt: `${boot.trim()}/${fields[19]}`, command: command.split('\0').join(' ').trim() };
  } catch {
    return undefined;
  }
}

async function readPs(pid: number): Promise<RunningProcess | undefined> {
  try {
    const { stdout } = await run('ps', ['-o', 'stat=', '-o', 'lstart=', '-o', 'command=', '-p', String(pid)]);
    const line = /^(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/.exec(stdout.trim());
    if (line === null || line[1]!.startsWith('Z')) return undefined;
    return { pid, startedAt: line[2]!, command: line[3]! };
  } catch {
    return undefined;
  }
}

/** Sends each signal in turn until the process is gone. Resolves to false if it outlived the last signal. */
export async function endProcess(
  target: RunningProcess,
  steps: readonly { signal: NodeJS.Signals; waitMs: number }[],
): Promise<boolean> {
  for (const { signal, waitMs } of steps) {
    if (!(await isRunning(target))) return true;
    try {
      process.kill(target.pid, signal);
    } catch {
      // The process ended between the check and the signal; the next check shows it.
    }
    const deadline = performance.now() + waitMs;
    while (performance.now() < deadline) {
      if (!(await isRunning(target))) return true;
      await delay(POLL_INTERVAL_MS);
    }
  }
  return !(await isRunning(target));
}

async function isRunning(target: RunningProcess): Promise<boolean> {
  return (await findProcess(target.pid))?.startedAt === target.startedAt;
}
