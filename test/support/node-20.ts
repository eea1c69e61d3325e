import { execFileSync } from 'node:child_process';
import { delimiter, join } from 'node:path';

/** The Node that guard and emit still run on; npm scripts put the newer one of `node_modules/.bin` first on the path. */
const OLDEST_MAJOR = '20';

/** Finds a Node 20 on this machine (`NODE_20` names one elsewhere); undefined if there is none. */
export function findNode20(): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'];
  const named = process.env['NODE_20'];
  return [...(named === undefined ? [] : [named]), ...directories.map((directory) => join(directory, 'node'))].find(
    isNode20,
  );
}

function isNode20(path: string): boolean {
  try {
    return execFileSync(path, ['-p', 'process.versions.node'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).startsWith(`${OLDEST_MAJOR}.`);
  } catch {
    return false;
  }
}
