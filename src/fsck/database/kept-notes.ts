import { createPublicKey } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `<incarnation>-<size>`, with zeros in front. */
const NAME = /^checkpoint-([0-9]{10})-([0-9]{20})$/;
/** The first key of a ledger and, after a rotation, further ones. */
const KEY = /^key(?:-[0-9]{1,9})?$/;
const RAW_KEY_BYTES = 32;

/** A signed checkpoint that is kept outside the database, before anything of it is checked. */
export interface KeptNote {
  readonly kind: 'file' | 'topic';
  readonly place: string;
  /** As the name of the file says. */
  readonly incarnation?: number;
  readonly size?: bigint;
  readonly note: string;
}

/** A further place than the directory that keeps the notes of each ledger. */
export interface NoteKeeper {
  readonly name: string;
  notes(tenant: string): Promise<readonly string[]>;
}

/** Lists the tenants that the directory has a folder of. */
export async function foldersOf(root: string): Promise<readonly string[]> {
  return ((await orAbsent(readdir(root))) ?? []).sort();
}

/** Reads the checkpoints that are kept of a tenant's ledger, each place's oldest first. */
export async function readKeptNotes(
  root: string,
  topic: NoteKeeper | undefined,
  tenant: string,
): Promise<readonly KeptNote[]> {
  const files = await readKeptFiles(root, tenant);
  if (topic === undefined) return files;
  const records = (await topic.notes(tenant)).map((note, nth): KeptNote => {
    return { kind: 'topic', place: `${topic.name}, record ${nth + 1} of ${tenant}`, note };
  });
  return [...files, ...records];
}

async function readKeptFiles(root: string, tenant: string): Promise<readonly KeptNote[]> {
  const names = ((await orAbsent(readdir(join(root, tenant)))) ?? []).sort();
  const kept: KeptNote[] = [];
  for (const name of names) {
    const match = NAME.exec(name);
    if (match === null) continue;
    const place = join(root, tenant, name);
    // The writer removes old files while this reads.
    const note = await orAbsent(readFile(place, 'utf8'));
    if (note !== undefined)
      kept.push({ kind: 'file', place, incarnation: Number(match[1]), size: BigInt(match[2]!), note });
  }
  return kept;
}

/** A file of a key of a ledger. */
export interface KeyFile {
  readonly path: string;
  /** Undefined for a file that holds no Ed25519 key. */
  readonly publicKey: Buffer | undefined;
}

/** Reads the public halves of a tenant's keys. */
export async function readKeyFiles(root: string, tenant: string): Promise<readonly KeyFile[]> {
  const names = ((await orAbsent(readdir(join(root, tenant)))) ?? []).filter((name) => KEY.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const path = join(root, tenant, name);
      return { path, publicKey: publicKeyOf(await readFile(path, 'utf8')) };
    }),
  );
}

function publicKeyOf(pem: string): Buffer | undefined {
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType !== 'ed25519') return undefined;
    return key.export({ format: 'der', type: 'spki' }).subarray(-RAW_KEY_BYTES);
  } catch {
    return undefined;
  }
}

async function orAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
