import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findInstance } from './instance.js';
import { contextNamed, readContexts, type SavedContext } from './saved-contexts.js';
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

/** The options of a command line that name the service to speak to. */
export interface NamedService {
  readonly url?: string | undefined;
  /** Name of a saved context. */
  readonly context?: string | undefined;
}

/**
 * Decides which instance gets which key. The key of a context goes to the URL of that context alone. A key of the environment goes to the
 * URL that is named, else to the instance of this home, else to the default URL. The administrator's key, which lies in a home, goes to the
 * instance that runs in that home and to no other.
 */
export async function readSettings(env: Terminal['env'], service: NamedService): Promise<Settings> {
  const saved = await findContext(env, service);
  if (saved !== undefined) return { url: keyedUrl(saved.url), key: saved.key };
  const named = namedUrl(env, service.url);
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

/** Finds the instance for a question that needs no key. It is the one that `readSettings` finds. */
export async function findUrl(env: Terminal['env'], service: NamedService): Promise<string> {
  const saved = await findContext(env, service);
  if (saved !== undefined) return checkUrl(saved.url);
  const named = service.url ?? env['RESCIND_URL'];
  if (named !== undefined) return checkUrl(named);
  const instance = await findInstance(homeOf(env));
  if (instance !== undefined) return trimmed(instance);
  if (isSet(env['RESCIND_KEY'])) return DEFAULT_URL;
  throw await notRunning(homeOf(env));
}

const isSet = (value: string | undefined): boolean => value !== undefined && value !== '';

/**
 * Finds the context that a command uses: the one that it names, else the one of RESCIND_CONTEXT, else, if nothing else names a service, the
 * one that was chosen with `rescind context use`. Two answers to the question "which service" are refused.
 */
async function findContext(env: Terminal['env'], { url, context }: NamedService): Promise<SavedContext | undefined> {
  if (context !== undefined) {
    if (url !== undefined) throw new UsageError('--context has a URL of its own: give --url or --context');
    return contextNamed(env, await readContexts(env), context);
  }
  if (url !== undefined) return undefined;
  const wanted = env['RESCIND_CONTEXT'];
  const others = ['RESCIND_URL', 'RESCIND_KEY'].filter((name) => isSet(env[name]));
  if (isSet(wanted)) {
    if (others.length > 0)
      throw new UsageError(`RESCIND_CONTEXT and ${others.join(' and ')} both name a service: unset one of them`);
    return contextNamed(env, await readContexts(env), wanted!);
  }
  if (others.length > 0 || isSet(env['RESCIND_HOME'])) return undefined;
  const saved = await readContexts(env);
  return saved.current === undefined ? undefined : contextNamed(env, saved, saved.current);
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
  return keyedUrl(text);
}

/** Checks a URL to which a key goes with every request. */
export function keyedUrl(text: string): string {
  const url = checkUrl(text);
  if (url.startsWith('http:') && !LOOPBACK.has(new URL(url).hostname))
    throw new UsageError(`use https for ${url}: the key must not cross a network in the clear`);
  return url;
}

/** Checks a URL to which no key goes. */
export function checkUrl(text: string): string {
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
