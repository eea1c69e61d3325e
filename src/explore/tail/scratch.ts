import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = /^explore-(\d+)-/;

/** Makes a directory for files that the engine reads once, and removes those that processes which were killed have left. */
export async function makeScratch(home: string): Promise<string> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  for (const name of await readdir(home)) {
    const [, pid] = NAME.exec(name) ?? [];
    // A process that has our pid is an earlier one.
    if (pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid))))
      await rm(join(home, name), { recursive: true, force: true });
  }
  return mkdtemp(join(home, `explore-${process.pid}-`));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
