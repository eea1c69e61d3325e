import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { UsageError, type Terminal } from './terminal.js';

/** A service under a name, with the key for it and for no other. */
export interface SavedContext {
  readonly url: string;
  readonly key: string;
}

export interface SavedContexts {
  /** The context that is used if a command and the environment name no service; undefined if none is chosen. */
  readonly current: string | undefined;
  readonly contexts: Readonly<Record<string, SavedContext>>;
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const FILE = 'contexts.json';
/** Bits of a file's mode that let somebody else read or change it. */
const OTHERS = 0o077;

export function contextsPath(env: Terminal['env']): string {
  const config = env['XDG_CONFIG_HOME'];
  return join(config ? config : join(env['HOME'] ?? homedir(), '.config'), 'rescind', FILE);
}

/** Reads the saved contexts. A file that is missing or out of reach has none. A file that others can read or that is damaged is refused: it holds keys. */
export async function readContexts(env: Terminal['env']): Promise<SavedContexts> {
  const path = contextsPath(env);
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    // A service account may have a home that it cannot enter.
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(error.code ?? '')) return undefined;
    throw new UsageError(`${path} cannot be read (${error.code ?? 'unknown'})`);
  });
  if (file === undefined) return { current: undefined, contexts: {} };
  try {
    const { mode, uid } = await file.stat();
    const isOwn = process.getuid === undefined || uid === process.getuid();
    if (process.platform !== 'win32' && ((mode & OTHERS) !== 0 || !isOwn))
      throw new UsageError(
        isOwn
          ? `others can read ${path}, which holds keys: chmod 600 it, and replace the keys in it`
          : `${path} belongs to somebody else, so no key in it is used`,
      );
    return parse(path, await file.readFile('utf8'));
  } finally {
    await file.close();
  }
}

function parse(path: string, text: string): SavedContexts {
  const damaged = new UsageError(`${path} is damaged: remove it and add its contexts again`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged;
  }
  const { current, contexts } = (value ?? {}) as { current?: unknown; contexts?: unknown };
  if (typeof contexts !== 'object' || contexts === null) throw damaged;
  const saved = Object.entries(contexts as Record<string, Partial<SavedContext> | null>).map(([name, one]) => {
    if (!NAME.test(name) || typeof one?.url !== 'string' || typeof one.key !== 'string' || one.key === '')
      throw damaged;
    return [name, { url: one.url, key: one.key }] as const;
  });
  if (current !== undefined && !saved.some(([name]) => name === current)) throw damaged;
  return { current: current as string | undefined, contexts: Object.fromEntries(saved) };
}

/** Replaces the file as a whole; only its owner can read it at any time. */
export async function writeContexts(env: Terminal['env'], contexts: SavedContexts): Promise<void> {
  const path = contextsPath(env);
  const next = `${path}.${process.pid}`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeFile(next, `${JSON.stringify(contexts, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
    await rename(next, path);
  } finally {
    await rm(next, { force: true });
  }
}

export function checkContextName(name: string): string {
  if (NAME.test(name)) return name;
  throw new UsageError(`a context is named with small letters, digits, dots, hyphens and underscores, not ${name}`);
}

/** Finds a context by its name. */
export function contextNamed(env: Terminal['env'], { contexts }: SavedContexts, name: string): SavedContext {
  const saved = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (saved !== undefined) return saved;
  const names = Object.keys(contexts);
  const there = names.length === 0 ? 'there is none yet' : `there are ${names.join(', ')}`;
  throw new UsageError(
    `no context \`${name}\` in ${contextsPath(env)}; ${there}. Add one with \`rescind context add\``,
  );
}
