import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findInstance } from './instance.js';
import { UsageError, type Terminal } from './terminal.js';

/** Default address of the service; a spec compares it with the service's own default. */
export const DEFAULT_URL = 'http://127.0.0.1:7423';
export const DEFAULT_HOME = '.rescind';
export const ADMIN_KEY_FILE = 'admin-key';
/** The demo's own home below the home, so that its data and key are never taken for the service's. */
export const DEMO_DIRECTORY = 'demo';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** The running service, and the key to speak to it with. */
export interface Settings {
  readonly url: string;
  readonly key: string;
}

/**
 * Decides which instance gets which key. A key of the environment goes to the URL that is named, else to the instance of this home, else to
 * the default URL. The administrator's key, which lies in a home, goes to the instance that runs in that home and to no other.
 */
export async function readSettings(env: Terminal['env'], option: string | undefined): Promise<Settings> {
  const named = namedUrl(env, option);
  const key = env['RESCIND_KEY'];
  const home = homeOf(env);
  const instance = await findInstance(home);
  if (key !== undefined && key !== '') return { url: named ?? instance ?? DEFAULT_URL, key };
  const path = join(home, ADMIN_KEY_FILE);
  const own = await readKey(path);
  if (instance === undefined)
    throw named === undefined
      ? await notRunning(home)
      : new UsageError(
          `no instance runs in ${home}, so its key is not sent to ${named}: set RESCIND_KEY to a key of that instance`,
        );
  if (named !== undefined && !isSameService(named, instance)) {
    throw new UsageError(
      `the key in ${path} is for ${instance}, which runs in that directory, and is not sent to ${named}: set RESCIND_KEY to a key of that instance`,
    );
  }
  return { url: trimmed(instance), key: own };
}

/** Finds the instance for a question that needs no key. */
export async function findUrl(env: Terminal['env'], option: string | undefined): Promise<string> {
  const named = option ?? env['RESCIND_URL'];
  if (named !== undefined) return checkUrl(named);
  const instance = await findInstance(homeOf(env));
  if (instance === undefined) throw await notRunning(homeOf(env));
  return trimmed(instance);
}

const homeOf = (env: Terminal['env']): string => env['RESCIND_HOME'] ?? DEFAULT_HOME;

async function notRunning(home: string): Promise<Error> {
  const demoHome = join(home, DEMO_DIRECTORY);
  const demo = await findInstance(demoHome);
  const hint = demo === undefined ? '' : `; the demo runs at ${demo}: set RESCIND_HOME=${demoHome} to speak to it`;
  return new Error(
    `no Rescind runs in ${home}: start it with \`rescind serve\`, or name one with --url and RESCIND_KEY${hint}`,
  );
}

function namedUrl(env: Terminal['env'], option: string | undefined): string | undefined {
  const text = option ?? env['RESCIND_URL'];
  if (text === undefined) return undefined;
  const url = checkUrl(text);
  // The key goes with every request.
  if (url.startsWith('http:') && !LOOPBACK.has(new URL(url).hostname))
    throw new UsageError(`use https for ${url}: the key must not cross a network in the clear`);
  return url;
}

function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new UsageError(`not the URL of a service: ${text}`);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new UsageError('the URL of a service has no credentials, query or fragment');
  return trimmed(url.href);
}

const trimmed = (url: string): string => url.replace(/\/+$/, '');

/** Every name of loopback leads to this machine, where only one process can have a port. */
function isSameService(one: string, other: string): boolean {
  const [a, b] = [new URL(one), new URL(other)];
  const isSameHost = a.hostname === b.hostname || (a.hostname === 'localhost' && LOOPBACK.has(b.hostname));
  return a.protocol === b.protocol && a.port === b.port && isSameHost && trimmed(a.pathname) === trimmed(b.pathname);
}

async function readKey(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new UsageError(`${path} cannot be read: set RESCIND_KEY`);
    throw new UsageError(`no key: set RESCIND_KEY, or run this where ${path} lies (RESCIND_HOME names its directory)`);
  }
}
