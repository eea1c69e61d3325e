import { createPublicKey } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** `<incarnation>-<size>`, with zeros in front. */
const NAME = /^checkpoint-([0-9]{10})-([0-9]{20})$/;
/** The first key of a ledger and, after a rotation, further ones. */
const KEY = /^key(?:-[0-9]{1,9})?$/;
const RAW_KEY_BYTES = 32;

/** A signed checkpoint that the directory of the ledgers keeps. */
export interface KeptFile {
  readonly path: string;
  readonly incarnation: number;
  readonly size: bigint;
  readonly note: string;
}

/** Lists the tenants that the directory has a folder of. */
export async function foldersOf(root: string): Promise<readonly string[]> {
  return ((await orAbsent(readdir(root))) ?? []).sort();
}

/** Reads the checkpoints that are kept of a tenant's ledger, the oldest first. */
export async function readKeptFiles(root: string, tenant: string): Promise<readonly KeptFile[]> {
  const names = ((await orAbsent(readdir(join(root, tenant)))) ?? []).sort();
  const kept: KeptFile[] = [];
  for (const name of names) {
    const match = NAME.exec(name);
    if (match === null) continue;
    const path = join(root, tenant, name);
    // The writer removes old files while this reads.
    const note = await orAbsent(readFile(path, 'utf8'));
    if (note !== undefined) kept.push({ path, incarnation: Number(match[1]), size: BigInt(match[2]!), note });
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
