import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { findProcess } from '../process/index.js';

const OWNER_FILE = 'owner.json';

/**
 * Makes this process the owner of a service's directory until `release` is called. If a living process owns the directory, resolves to
 * that process's pid instead. An owner that was killed leaves its file behind; the start time in the file tells whether the pid has been
 * reused.
 */
export async function claimDirectory(directory: string): Promise<{ release(): Promise<void> } | { ownedBy: number }> {
  const file = join(directory, OWNER_FILE);
  const self = await findProcess(process.pid);
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, JSON.stringify({ pid: process.pid, startedAt: self?.startedAt ?? null }), { mode: 0o600 });
  try {
    for (;;) {
      try {
        await link(draft, file);
        return { release: () => rm(file, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const ownedBy = await livingOwner(file);
      if (ownedBy !== undefined) return { ownedBy };
      await rm(file, { force: true });
    }
  } finally {
    await rm(draft, { force: true });
  }
}

async function livingOwner(file: string): Promise<number | undefined> {
  try {
    const owner = JSON.parse(await readFile(file, 'utf8')) as { pid: number; startedAt: string | null };
    const running = await findProcess(owner.pid);
    return running !== undefined && running.startedAt === owner.startedAt ? owner.pid : undefined;
  } catch {
    return undefined;
  }
}
