import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Files that this thread has locked. Needed on systems that do not report when a process started. */
const held = new Set<string>();

/** Makes the error that says which process has the lock. */
type InUse = (pid: number) => Error;

/**
 * Makes this process the only one that holds the lock file, until the returned function is called. Throws what `inUse` returns if a living
 * process holds it. A killed process leaves its lock file behind; the start time of the process tells its pid from a reused one, if the
 * system reports start times. Processes of other machines are not noticed.
 */
export function lockFile(path: string, inUse: InUse): () => void {
  const file = resolve(path);
  if (held.has(file)) throw inUse(process.pid);
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, JSON.stringify({ pid: process.pid, startedAt: startedAt(process.pid) ?? null }), {
    mode: 0o600,
  });
  try {
    while (!created(draft, file)) {
      const owner = readOwner(file);
      if (owner !== undefined && isAlive(owner)) throw inUse(owner.pid);
      setAside(file, `${draft}.stale`, inUse);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  held.add(file);
  return () => {
    held.delete(file);
    rmSync(file, { force: true });
  };
}

function created(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The file moved may be newer than the file read: another process that started at the same time may have taken over first. */
function setAside(file: string, aside: string, inUse: InUse): void {
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const owner = readOwner(aside);
  if (owner !== undefined && isAlive(owner)) {
    created(aside, file);
    rmSync(aside, { force: true });
    throw inUse(owner.pid);
  }
  rmSync(aside, { force: true });
}

interface Owner {
  readonly pid: number;
  readonly startedAt: string | null;
}

function readOwner(file: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Owner;
    return Number.isSafeInteger(owner.pid) && owner.pid > 0 ? owner : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(owner: Owner): boolean {
  const started = startedAt(owner.pid);
  // In a container every process may have pid 1. The same pid with the same start is this process (another thread of it).
  if (owner.pid === process.pid) return started !== undefined && started === owner.startedAt;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return started === undefined || owner.startedAt === null || started === owner.startedAt;
}

/** Reads when a process started, in ticks since the boot, on Linux. Undefined elsewhere, where a reused pid looks alive. */
function startedAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // proc(5): the name, in parentheses, may contain anything; `starttime` is field 22, the 20th after the name.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
