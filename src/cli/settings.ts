import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError, type Terminal } from './terminal.js';

/** What the service listens on unless told otherwise; a spec compares it with the service's own default. */
export const DEFAULT_URL = 'http://127.0.0.1:7423';
export const DEFAULT_HOME = '.rescind';
export const ADMIN_KEY_FILE = 'admin-key';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** The running service, and the key to speak to it with. */
export interface Settings {
  readonly url: string;
  readonly key: string;
}

export async function readSettings(env: Terminal['env'], url: string | undefined): Promise<Settings> {
  return { url: checkUrl(url ?? env['RESCIND_URL'] ?? DEFAULT_URL), key: await readKey(env) };
}

function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') throw new UsageError(`not the URL of a service: ${text}`);
  // The key goes with every request.
  if (url.protocol === 'http:' && !LOOPBACK.has(url.hostname)) throw new UsageError('use https: the key must not cross a network in the clear');
  return url.href.replace(/\/+$/, '');
}

async function readKey(env: Terminal['env']): Promise<string> {
  const key = env['RESCIND_KEY'];
  if (key !== undefined && key !== '') return key;
  const path = join(env['RESCIND_HOME'] ?? DEFAULT_HOME, ADMIN_KEY_FILE);
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw new UsageError(`${path} cannot be read: set RESCIND_KEY`);
    throw new UsageError(`no key: set RESCIND_KEY, or run this where ${path} lies (RESCIND_HOME names its directory)`);
  }
}
