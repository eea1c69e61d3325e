import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Directories where Debian installs servers, which the path of an ordinary user lacks. */
const SYSTEM_DIRECTORIES = ['/usr/sbin', '/sbin', ...postgresDirectories('/usr/lib/postgresql')];

/** Debian keeps the programs of each PostgreSQL in a directory of their own, the newest first here. */
function postgresDirectories(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .toSorted((one, other) => Number(other) - Number(one))
    .map((version) => join(root, version, 'bin'));
}

/**
 * Finds a program that `.ci/run` installs and a developer may lack: its path, or undefined. In CI a missing program is an error, so that
 * no spec is skipped there unseen.
 */
export function findTool(name: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_DIRECTORIES];
  const found = directories.map((directory) => join(directory, name)).find(isExecutable);
  if (found === undefined && process.env['CI'] !== undefined)
    throw new Error(`${name} is missing: .ci/run installs it`);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
