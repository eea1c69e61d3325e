import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const INSTANCE_FILE = 'instance.json';

/** The URL of the instance that runs in `home` now; undefined if none does. A file that a killed instance left behind names none. */
export async function findInstance(home: string): Promise<string | undefined> {
  try {
    const { url, pid, started_at: startedAt } = JSON.parse(await readFile(join(home, INSTANCE_FILE), 'utf8')) as Record<string, unknown>;
    if (typeof url !== 'string' || !URL.canParse(url) || typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 1) return undefined;
    return typeof startedAt === 'string' && startedAt !== '' && startedAt === (await startOf(pid)) ? url : undefined;
  } catch {
    return undefined;
  }
}

/**
 * When a process was started, as `platform` writes it; a spec compares the two. Importing `platform` would make every command wait for the
 * service's modules.
 */
export async function startOf(pid: number): Promise<string> {
  if (process.platform !== 'linux') {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return stdout.trim();
  }
  const [stat, boot] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile('/proc/sys/kernel/random/boot_id', 'utf8')]);
  // proc(5): the second field, in parentheses, may hold anything; starttime is the 22nd.
  return `${boot.trim()}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
}
