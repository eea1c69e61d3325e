import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { RescindError } from '../../contracts/index.js';
import { FILE_HEADERS, pageHeaders } from './policy.js';

const PAGE = 'index.html';
/** Stands in the built page where its nonce goes (`src/console/vite.config.ts`). */
const NONCE_PLACE = '__NONCE__';
const NONCE_BYTES = 16;
/** Files below this folder have a digest of their content in their name. */
const HASHED = 'assets/';
const FOREVER = 'public, max-age=31536000, immutable';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

export interface ServedFile {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface ConsoleFiles {
  /**
   * Returns the file of this path below `/console/`, and the page for every other path, which is a place within the console. Throws `not-found` for
   * a hashed file that is not there, and for all if the console was not built.
   */
  find(path: string): ServedFile;
}

/**
 * Reads the built console once. A path is looked up among the names found then, so no path reaches another file. Answers of the page have a fresh
 * nonce each.
 */
export function createConsoleFiles(directory: string): ConsoleFiles {
  const files = readFiles(directory);
  const page = files.get(PAGE)?.body.toString('utf8').split(NONCE_PLACE);
  return {
    find(path) {
      if (page === undefined)
        throw new RescindError('not-found', { detail: 'this process has no console: `npm run build` makes it' });
      const found = path === PAGE ? undefined : files.get(path);
      if (found !== undefined) return found;
      if (path.startsWith(HASHED))
        throw new RescindError('not-found', { detail: 'the console has no such file; load its page again' });
      const nonce = randomBytes(NONCE_BYTES).toString('base64url');
      const headers = { ...pageHeaders(nonce), 'content-type': MEDIA_TYPES['.html']! };
      return { headers, body: Buffer.from(page.join(nonce)) };
    },
  };
}

function readFiles(directory: string): ReadonlyMap<string, ServedFile> {
  const files = new Map<string, ServedFile>();
  for (const name of namesIn(directory)) {
    const type = MEDIA_TYPES[extname(name)];
    if (type === undefined) continue;
    const headers = {
      ...FILE_HEADERS,
      'content-type': type,
      'cache-control': name.startsWith(HASHED) ? FOREVER : 'no-cache',
    };
    files.set(name, { headers, body: readFileSync(join(directory, name)) });
  }
  return files;
}

function namesIn(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(directory.length + 1)
          .replaceAll('\\', '/'),
      );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
