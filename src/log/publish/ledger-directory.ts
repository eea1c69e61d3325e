import { link, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RescindError } from '../../contracts/index.js';
import { makeDirectories, syncDirectory } from '../../platform/durable/index.js';
import type { Anchors, KeptCheckpoint } from './anchors.js';
import { makeLogKey, readLogKey, type LogKey } from './log-key.js';

const FIRST_KEY_FILE = 'key';
/** The second key is `key-2`. */
const KEY_FILE = /^key(?:-([0-9]{1,9}))?$/;
/** `<incarnation>-<size>`, with zeros in front so that names sort like the checkpoints. */
const CHECKPOINT_FILE = /^checkpoint-[0-9]{10}-[0-9]{20}$/;
/** Checkpoints that stay beside the newest. */
const KEPT_FILES = 8;

/** The directory of a deployment's ledgers: for each tenant its keys and its newest checkpoints, each in a file of its own. */
export interface LedgerDirectory extends Anchors {
  /** Reads a tenant's keys, the first one first. Throws `log-key-unreadable` if one of the files is no Ed25519 key. */
  readKeys(tenant: string): Promise<readonly LogKey[]>;
  /** Lists the tenants of which the directory keeps a checkpoint. */
  signed(): Promise<readonly string[]>;
  /** Makes a tenant's first key, readable by this user alone, unless there is one. */
  makeKey(tenant: string): Promise<LogKey>;
  /** Keeps a further key of a tenant, by default a new one, likewise. MUST be durable on return, and MUST NOT replace another key. */
  addKey(tenant: string, pem?: string): Promise<LogKey>;
}

export function createLedgerDirectory(root: string): LedgerDirectory {
  const directoryOf = (tenant: string) => join(root, tenant);

  async function readKey(tenant: string, file: string): Promise<LogKey> {
    const path = join(directoryOf(tenant), file);
    const pem = await readFile(path, 'utf8');
    try {
      return readLogKey(pem);
    } catch (cause) {
      const { message } = cause as Error;
      throw new RescindError('log-key-unreadable', { detail: `${path}: ${message}. Put the ledger's key back`, cause });
    }
  }

  /** Names of the files of keys, the first key first. */
  async function keyFilesOf(tenant: string): Promise<readonly string[]> {
    const files = (await orAbsent(readdir(directoryOf(tenant)))) ?? [];
    return files.filter((file) => KEY_FILE.test(file)).sort((one, other) => numberOf(one) - numberOf(other));
  }

  /** Names of the files, in the order of their checkpoints. */
  async function checkpointsOf(tenant: string): Promise<readonly string[]> {
    const files = (await orAbsent(readdir(directoryOf(tenant)))) ?? [];
    return files.filter((file) => CHECKPOINT_FILE.test(file)).sort();
  }

  return {
    name: 'file',
    readKeys: async (tenant) => Promise.all((await keyFilesOf(tenant)).map((file) => readKey(tenant, file))),
    async signed() {
      const tenants = (await orAbsent(readdir(root))) ?? [];
      const kept = await Promise.all(tenants.map(async (tenant) => (await checkpointsOf(tenant)).length > 0));
      return tenants.filter((_, nth) => kept[nth]);
    },
    async makeKey(tenant) {
      await makeDirectories(root, directoryOf(tenant));
      // Another process of this machine may make it at the same time: the first one wins.
      await createFile(directoryOf(tenant), FIRST_KEY_FILE, makeLogKey());
      return readKey(tenant, FIRST_KEY_FILE);
    },
    async addKey(tenant, pem = makeLogKey()) {
      const last = (await keyFilesOf(tenant)).at(-1) ?? FIRST_KEY_FILE;
      const file = `key-${numberOf(last) + 1}`;
      await createFile(directoryOf(tenant), file, pem);
      return readKey(tenant, file);
    },
    notes: async (tenant) =>
      Promise.all((await checkpointsOf(tenant)).map((file) => readFile(join(directoryOf(tenant), file), 'utf8'))),
    async keep(tenant, checkpoint) {
      await makeDirectories(root, directoryOf(tenant));
      const directory = directoryOf(tenant);
      const file = fileOf(checkpoint);
      // A file is never overwritten: a process that wakes up late cannot put an older checkpoint in the place of a newer one.
      if (!(await createFile(directory, file, checkpoint.note))) await requireSame(directory, file, checkpoint);
      const older = (await checkpointsOf(tenant)).filter((name) => name < file);
      for (const name of older.slice(0, -KEPT_FILES)) await rm(join(directory, name), { force: true });
    },
  };
}

const numberOf = (keyFile: string): number => Number(KEY_FILE.exec(keyFile)![1] ?? 1);

const fileOf = ({ incarnation, size }: KeptCheckpoint): string =>
  `checkpoint-${String(incarnation).padStart(10, '0')}-${String(size).padStart(20, '0')}`;

/** A signature may be another one after a rotation of the key; size and root may not. */
async function requireSame(directory: string, file: string, { note }: KeptCheckpoint): Promise<void> {
  const kept = await readFile(join(directory, file), 'utf8');
  const text = (whole: string) => whole.slice(0, whole.lastIndexOf('\n\n'));
  if (text(kept) !== text(note))
    throw new RescindError('ledger-forked', {
      detail: `${join(directory, file)} has another root for the same size; nothing is signed`,
    });
}

/** Writes a file and makes it durable under its name. Returns false if there is one. A file that was cut off by a crash never has the name. */
async function createFile(directory: string, name: string, content: string): Promise<boolean> {
  const temporary = join(directory, `.${name}.${process.pid}`);
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, join(directory, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncDirectory(directory);
  return true;
}

async function orAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
