import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RescindError } from '../../contracts/index.js';

const LOCK_FILE = 'lock';

/** Directories that this thread has locked. Needed on systems that do not report when a process started. */
const held = new Set<string>();

/**
 * Makes this process the only one that spools to the directory, until the returned function is called. Throws `config-invalid` if a living
 * process has locked the directory. A killed process leaves its lock file behind; the start time of the process tells its pid from a reused
 * one, if the system reports start times. Processes of other machines are not noticed.
 */
export function lockDirectory(directory: string): () => void {
  const path = resolve(directory);
  if (held.has(path)) throw inUse(path, process.pid);
  const file = join(path, LOCK_FILE);
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, JSON.stringify({ pid: process.pid, startedAt: startedAt(process.pid) ?? null }), {
    mode: 0o600,
  });
  try {
    while (!created(draft, file)) {
      const owner = readOwner(file);
      if (owner !== undefined && isAlive(owner)) throw inUse(path, owner.pid);
      setAside(file, `${draft}.stale`, path);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  held.add(path);
  return () => {
    held.delete(path);
    rmSync(file, { force: true });
  };
}

const inUse = (path: string, pid: number) =>
  new RescindError('config-invalid', { detail: `process ${pid} spools to ${path}; give each process a directory` });

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
function setAside(file: string, aside: string, path: string): void {
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
    throw inUse(path, owner.pid);
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
