import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formatCheckpoint, formatNote } from '../../merkle/index.js';
import { createLedgerDirectory } from './ledger-directory.js';

const TENANT = '0192f0c1-7d3e-7a10-9c55-3f1f2b8f4b00';
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
});
afterEach(() => rm(root, { recursive: true }));

/** `byte` fills the root; `signature` the signature. */
function checkpointOf(size: bigint, byte: number, signature = 1) {
  const tree = { incarnation: 1, size, root: Buffer.alloc(32, byte) };
  const text = formatCheckpoint({ origin: `log.example/${TENANT}/1`, ...tree });
  const signatures = [{ name: 'log.example', keyId: '00000001', signature: Buffer.alloc(64, signature) }];
  return { ...tree, note: formatNote({ text, signatures }) };
}

describe('a first key that several processes make at once', () => {
  it('is one key, which its user alone can read, and which nothing replaces later', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => createLedgerDirectory(root).makeKey(TENANT)));
    made.push(await createLedgerDirectory(root).makeKey(TENANT));
    const [kept] = await createLedgerDirectory(root).readKeys(TENANT);
    for (const { publicKey } of made) expect(publicKey).toEqual(kept!.publicKey);
    expect(await readdir(join(root, TENANT))).toEqual(['key']);
    expect((await stat(join(root, TENANT, 'key'))).mode & 0o777).toBe(0o600);
  });
});

describe('a checkpoint of a size that is kept already', () => {
  const first = checkpointOf(7n, 1);

  it('is refused if its root is another one, and the kept one stays', async () => {
    const directory = createLedgerDirectory(root);
    await directory.keep(TENANT, first);
    await expect(directory.keep(TENANT, checkpointOf(7n, 2))).rejects.toMatchObject({ code: 'ledger-forked' });
    expect(await directory.notes(TENANT)).toEqual([first.note]);
  });

  it('may have another signature, and the kept one stays', async () => {
    const directory = createLedgerDirectory(root);
    await directory.keep(TENANT, first);
    await directory.keep(TENANT, checkpointOf(7n, 1, 2));
    expect(await directory.notes(TENANT)).toEqual([first.note]);
  });
});

it('an older checkpoint that comes late does not stand for the newest', async () => {
  const directory = createLedgerDirectory(root);
  for (const size of [7n, 300n, 8n]) await directory.keep(TENANT, checkpointOf(size, 1));
  expect((await directory.notes(TENANT)).at(-1)).toBe(checkpointOf(300n, 1).note);
});
