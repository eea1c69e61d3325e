import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { firstIndexOf } from './segment.js';
import { TABLE_NAMES } from './tables.js';

/** Directory of a tenant for files being written. No path of FORMAT.md matches it. */
export const DRAFTS = '.tmp';

/**
 * Removes what a killed writer left in a tenant's directory: drafts, and files of ranges from `end` on, which have no manifest row. Such files
 * can only lie in the directories of `day`, the last archived day, and later ones. The caller holds the archive's lock. Returns the paths.
 */
export async function removeLeftovers(
  directory: string,
  { end, day }: { readonly end: bigint; readonly day: string | undefined },
): Promise<readonly string[]> {
  const removed: string[] = [];
  const remove = async (path: string): Promise<void> => {
    await rm(path, { recursive: true, force: true });
    removed.push(path);
  };
  for (const draft of await list(join(directory, DRAFTS))) await remove(join(directory, DRAFTS, draft));
  for (const table of TABLE_NAMES) {
    for (const partition of await list(join(directory, table))) {
      if (day !== undefined && partition < `day=${day}`) continue;
      for (const file of await list(join(directory, table, partition))) {
        const first = firstIndexOf(file);
        if (first !== undefined && first >= end) await remove(join(directory, table, partition, file));
      }
    }
  }
  return removed;
}

async function list(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
