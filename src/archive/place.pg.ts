import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool, PoolClient } from '../platform/postgres/index.js';
import { syncDirectory, syncFile } from '../platform/durable/index.js';
import { FORMAT_DIRECTORY } from './segment.js';

const PLACE_FILE = 'place.json';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const OTHER = 'the directory holds the archive of another database, or one that was moved away';

/** Why a directory is not the one of this database's archive, for people. */
export type PlaceProblem = string;

/**
 * Takes `root` for the archive of this database, if it is empty and the database knows no other. Returns why the archive must not be written
 * there: its volume is not mounted, another machine has it, or it belongs to another database. The caller holds the archive's lock.
 */
export async function takePlace(client: PoolClient, root: string): Promise<PlaceProblem | undefined> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const known = await readKnown(client);
  const found = await readPlace(root);
  if (known !== undefined && known === found) return undefined;
  if (known !== undefined)
    return found === undefined ? 'the directory is not the one that the archive was begun in' : OTHER;
  if (found !== undefined && (await hasFiles(root))) return OTHER;
  const id = found ?? randomUUID();
  if (found === undefined) await writePlace(root, id);
  await client.query('INSERT INTO archive_place (id) VALUES ($1)', [id]);
  return undefined;
}

/** Says whether `root` is the directory of this database's archive. */
export async function isPlace(client: Pick<Pool, 'query'>, root: string): Promise<boolean> {
  const known = await readKnown(client);
  return known !== undefined && known === (await readPlace(root));
}

/**
 * Makes `root`, which has no files of another archive, the place of this database's archive. The directory that was its place before is
 * refused from then on. Returns why it cannot be.
 */
export async function movePlace(client: PoolClient, root: string): Promise<PlaceProblem | undefined> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const known = await readKnown(client);
  const found = await readPlace(root);
  if (known === undefined || known === found) return takePlace(client, root);
  if (await hasFiles(root)) return OTHER;
  const id = randomUUID();
  await writePlace(root, id);
  await client.query('UPDATE archive_place SET id = $1', [id]);
  return undefined;
}

async function readKnown(client: Pick<Pool, 'query'>): Promise<string | undefined> {
  return (await client.query<{ id: string }>('SELECT id FROM archive_place')).rows[0]?.id;
}

async function readPlace(root: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(join(root, PLACE_FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { archive } = JSON.parse(text) as { archive?: unknown };
  if (typeof archive !== 'string' || !UUID.test(archive)) throw new Error(`${PLACE_FILE} of the archive is damaged`);
  return archive;
}

async function writePlace(root: string, id: string): Promise<void> {
  const path = join(root, PLACE_FILE);
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify({ archive: id })}\n`, { mode: 0o600 });
  await syncFile(draft);
  await rename(draft, path);
  await syncDirectory(root);
}

async function hasFiles(root: string): Promise<boolean> {
  return (await readdir(root)).includes(FORMAT_DIRECTORY);
}
