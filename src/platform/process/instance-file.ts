import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../log/index.js';
import { findProcess } from './processes.js';

export const INSTANCE_FILE = 'instance.json';

/** Facts that a running instance writes to its home for commands on the same machine. */
interface Instance {
  readonly url: string;
  readonly pid: number;
  /** Distinguishes this process from a later one with the same pid. */
  readonly started_at: string;
}

/**
 * Writes this process's address to `<home>/instance.json`, which only its owner can read, and returns a function that removes the file.
 * Commands send that home's administrator key to this address and nowhere else. The file of another living instance is left alone.
 */
export async function announceInstance({
  home,
  url,
  log,
}: {
  readonly home: string;
  readonly url: string;
  readonly log: Log;
}): Promise<() => Promise<void>> {
  const file = join(home, INSTANCE_FILE);
  const other = await livingInstance(file);
  if (other !== undefined && other.pid !== process.pid) {
    log.warn(
      { pid: other.pid, url: other.url },
      'another instance uses this home: commands without --url go to that one',
    );
    return async () => undefined;
  }
  const instance: Instance = {
    url: localUrl(url),
    pid: process.pid,
    started_at: (await findProcess(process.pid))?.startedAt ?? '',
  };
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, `${JSON.stringify(instance)}\n`, { mode: 0o600 });
  await rename(draft, file);
  return async () => {
    if ((await readInstance(file))?.pid === process.pid) await rm(file, { force: true });
  };
}

async function livingInstance(file: string): Promise<Instance | undefined> {
  const instance = await readInstance(file);
  return instance !== undefined && (await findProcess(instance.pid))?.startedAt === instance.started_at
    ? instance
    : undefined;
}

async function readInstance(file: string): Promise<Instance | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Instance;
  } catch {
    return undefined;
  }
}

/** Replaces an address that means every interface, which nobody can connect to, by loopback. */
const localUrl = (url: string): string =>
  url.replace(/^(https?:\/\/)0\.0\.0\.0:/, '$1127.0.0.1:').replace(/^(https?:\/\/)\[::\]:/, '$1[::1]:');
