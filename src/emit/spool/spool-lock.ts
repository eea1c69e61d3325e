import { join, resolve } from 'node:path';
import { RescindError } from '../../contracts/index.js';
import { lockFile } from '../../platform/lock/index.js';

const LOCK_FILE = 'lock';

/**
 * Makes this process the only one that spools to the directory, until the returned function is called. Throws `config-invalid` if a living
 * process has locked the directory.
 */
export function lockDirectory(directory: string): () => void {
  const path = resolve(directory);
  return lockFile(
    join(path, LOCK_FILE),
    (pid) =>
      new RescindError('config-invalid', { detail: `process ${pid} spools to ${path}; give each process a directory` }),
  );
}
