import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const INSTANCE_FILE = 'instance.json';

/** Finds the URL of the instance that runs in `home`; undefined if none runs. Ignores a file that a killed instance left behind. */
export async function findInstance(home: string): Promise<string | undefined> {
  try {
    const {
      url,
      pid,
      started_at: startedAt,
    } = JSON.parse(await readFile(join(home, INSTANCE_FILE), 'utf8')) as Record<string, unknown>;
    if (
      typeof url !== 'string' ||
      !URL.canParse(url) ||
      typeof pid !== 'number' ||
      !Number.isSafeInteger(pid) ||
      pid < 1
    )
      return undefined;
    return typeof startedAt === 'string' && startedAt !== '' && startedAt === (await startOf(pid)) ? url : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads the start time of a process in the form that `platform` writes; a spec compares the two. Importing `platform` would make every
 * command load the service's modules.
 */
export async function startOf(pid: number): Promise<string> {
  if (process.platform !== 'linux') {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return stdout.trim();
  }
  const [stat, boot] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
  ]);
  // proc(5): the second field, in parentheses, may contain anything; starttime is the 22nd field.
  return `${boot.trim()}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
}
