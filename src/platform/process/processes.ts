import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const POLL_INTERVAL_MS = 25;

export interface RunningProcess {
  readonly pid: number;
  /** Tells this process from a later one with the same pid; compare only. */
  readonly startedAt: string;
  readonly command: string;
}

/** The process with this pid, unless there is none or it is a zombie that nobody has collected. */
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
    // proc(5): the second field, in parentheses, may hold anything; state is the 3rd field and starttime the 22nd.
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

/** Sends each signal in turn until the process is gone. Resolves to false if it outlived the last. */
export async function endProcess(target: RunningProcess, steps: readonly { signal: NodeJS.Signals; waitMs: number }[]): Promise<boolean> {
  for (const { signal, waitMs } of steps) {
    if (!(await isRunning(target))) return true;
    try {
      process.kill(target.pid, signal);
    } catch {
      // Gone between the look and the signal; the next look tells.
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
