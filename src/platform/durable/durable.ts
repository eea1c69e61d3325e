import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the names in a directory durable: a rename is lost with the machine's power until then. */
export const syncDirectory = syncFile;

/** Creates `path` at or below `root` with its parents, and makes their names durable. */
export async function makeDirectories(root: string, path: string): Promise<void> {
  const firstMade = await mkdir(path, { recursive: true, mode: 0o700 });
  if (firstMade === undefined) return;
  for (let made = path; made.length > root.length; made = dirname(made)) await syncDirectory(dirname(made));
}
