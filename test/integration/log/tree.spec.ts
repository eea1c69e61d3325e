import { afterEach, describe, expect, it } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createFrontier,
  findSigners,
  leafHash,
  parseBundle,
  parseCheckpoint,
  parseEntry,
  parseNote,
  rootOf,
  verifyInclusion,
} from '../../../src/merkle/index.js';
import { holdTree, integrateBatch } from '../../../src/log/tree/integrate.pg.js';
import {
  continueLedger,
  listKeys,
  originOf,
  passLedgerFence,
  createProver,
  readBundle,
  readPublished,
  readTree,
  readTreeNodes,
  verifiersOf,
} from '../../../src/log/index.js';
import type { LedgerStep } from '../../../src/log/publish/ledger-keeper.js';
import {
  continuationOf,
  createLedgerWorld,
  LOG_ORIGIN,
  publishSizes,
  restore,
  type LedgerWorld,
} from './ledger-fixture.js';

let world: LedgerWorld | undefined;
afterEach(() => world?.stop());

async function start(): Promise<LedgerWorld> {
  world = await createLedgerWorld();
  return world;
}

/** Reads the newest checkpoint as a stranger would, who has the log's verifier keys alone. */
async function checkpointOf({ pool, tenant }: LedgerWorld, incarnation = 1) {
  const published = (await readPublished(pool, tenant, incarnation))!;
  const note = parseNote(published.note)!;
  const origin = originOf(LOG_ORIGIN, tenant, incarnation);
  const signers = findSigners(note, verifiersOf(await listKeys(pool, tenant), origin))!;
  return { ...parseCheckpoint(note.text)!, signers: signers.size };
}

describe('the tree follows the ledger', () => {
  it('and a signed checkpoint covers every entry', async () => {
    const { append, untilPublished, keeper, pool, tenant, query } = await start();
    keeper();
    for (const [count, size] of [
      [1, 1n],
      [254, 255n],
      [2, 257n],
      [700, 957n],
    ] as const) {
      await append(count);
      await untilPublished(size);
      const { origin, root, signers, size: covered } = await checkpointOf(world!);
      expect({ origin, covered, signers }).toEqual({
        origin: originOf(LOG_ORIGIN, tenant, 1),
        covered: size,
        signers: 1,
      });
      const leaves = await query<{ leaf_hash: Buffer }>('SELECT leaf_hash FROM entry WHERE tenant = $1 ORDER BY ix', [
        tenant,
      ]);
      const naive = createFrontier(0n, []);
      for (const { leaf_hash } of leaves) naive.append(leaf_hash);
      expect(root).toEqual(naive.root());
      for (const index of [0n, size / 2n, size - 1n]) {
        const { path } = (await (await createProver(pool, tenant))(index))!;
        const hash = leaves[Number(index)]!.leaf_hash;
        expect(verifyInclusion({ index, size, leafHash: hash, path, root })).toBe(true);
      }
    }
    expect(await (await createProver(pool, tenant))(957n)).toBeUndefined();
    const tiles = await query('SELECT level, n FROM tree_tile WHERE tenant = $1 ORDER BY level, n', [tenant]);
    expect(tiles).toEqual([0, 1, 2].map((n) => ({ level: 0, n: String(n) })));
  });

  it('and bundles hold the entries that the leaves hash', async () => {
    const { append, untilPublished, keeper, pool, tenant, query } = await start();
    keeper();
    await append(300);
    await untilPublished(300n);
    const entries = parseBundle(await readBundle(pool, tenant, { n: 1n, width: 44 }))!;
    const hashes = await query<{ leaf_hash: Buffer }>(
      'SELECT leaf_hash FROM entry WHERE tenant = $1 AND ix >= 256 ORDER BY ix',
      [tenant],
    );
    expect(entries.map((entry) => leafHash(entry))).toEqual(hashes.map((row) => row.leaf_hash));
    expect(entries.map((entry) => parseEntry(entry)!.index)).toEqual(hashes.map((_, nth) => BigInt(256 + nth)));
    await expect(readBundle(pool, tenant, { n: 1n, width: 45 })).rejects.toMatchObject({ code: 'ledger-inconsistent' });
  });

  it('of each tenant alone', async () => {
    const { append, untilPublished, keeper, tenant, query } = await start();
    const other = '0192f0c1-7d3e-7a10-9c55-3f1f2b8f4b02';
    keeper();
    await append(3);
    await append(5, other);
    await Promise.all([untilPublished(3n), untilPublished(5n, other)]);
    const keys = await query<{ public_key: Buffer }>('SELECT public_key FROM ledger_key');
    expect(new Set(keys.map(({ public_key }) => public_key.toString('hex'))).size).toBe(2);
    expect(await readTree(world!.pool, tenant)).toMatchObject({ size: 3n });
  });

  it('in batches that move the tree only from where they began', async () => {
    const { append, pool, tenant } = await start();
    await append(600);
    const held = await holdTree(pool, tenant);
    const results = await Promise.all([300n, 400n, 600n].map((end) => integrateBatch(pool, tenant, held, end)));
    const [moved] = results.filter((result) => result !== undefined);
    expect(results.filter((result) => result !== undefined)).toHaveLength(1);
    const { size, root } = await readTree(pool, tenant);
    expect({ size, root }).toEqual({ size: moved!.size, root: moved!.root });
    const again = await integrateBatch(pool, tenant, await holdTree(pool, tenant), 600n);
    if (size < 600n) expect(again!.size).toBe(600n);
    expect(await rootOf(600n, readTreeNodes(pool, tenant, 600n))).toEqual((await readTree(pool, tenant)).root);
  });

  it('and an entry that is missing stops it', async () => {
    const { append, pool, tenant, query } = await start();
    await append(10);
    await query('DELETE FROM entry WHERE tenant = $1 AND ix = 4', [tenant]);
    await expect(integrateBatch(pool, tenant, await holdTree(pool, tenant), 10n)).rejects.toMatchObject({
      code: 'ledger-inconsistent',
    });
    expect(await readTree(pool, tenant)).toMatchObject({ size: 0n });
  });
});

it('a checkpoint is not served until every anchor has it', async () => {
  const { append, keeper, untilPublished, publishedSize } = await start();
  let isFull = true;
  const anchor = {
    name: 'full',
    notes: async () => [],
    keep: async () => {
      if (isFull) throw new Error('no space left on device');
    },
  };
  const sut = keeper({ anchors: [anchor] });
  await append(3);
  while (sut.problem() === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await publishedSize()).toBe(0n);
  isFull = false;
  await untilPublished(3n);
  expect(sut.problem()).toBeUndefined();
});

describe('an old backup', () => {
  const fence = ({ pool, tenant, directory }: LedgerWorld) =>
    passLedgerFence({ session: pool, tenant, logOrigin: LOG_ORIGIN, directory, anchors: [] });

  async function published(sizes: readonly number[]): Promise<readonly string[]> {
    await start();
    return publishSizes(world!, sizes);
  }

  it('is noticed, and nothing is signed', async () => {
    const [older] = await published([300, 700]);
    const { append, keeper, files, tenant } = world!;
    await expect(fence(world!)).resolves.toBeUndefined();
    await restore(world!, 300, older!);
    await expect(fence(world!)).rejects.toMatchObject({
      code: 'ledger-behind',
      detail: expect.stringContaining(`rescind ledger continue ${tenant}`),
    });
    const before = await files();
    await append(10);
    const sut = keeper();
    while (sut.problem() === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(sut.problem()).toMatchObject({ code: 'ledger-behind' });
    expect(await files()).toEqual(before);
    expect(await world!.publishedSize()).toBe(300n);
  });

  it('that went on is noticed when it has outgrown what was signed', async () => {
    const [older] = await published([300, 700]);
    await restore(world!, 300, older!);
    await world!.append(900);
    const grown = await integrateBatch(world!.pool, world!.tenant, await holdTree(world!.pool, world!.tenant), 1200n);
    expect(grown?.size).toBe(1200n);
    await expect(fence(world!)).rejects.toMatchObject({ code: 'ledger-forked' });
    const sut = world!.keeper();
    while (sut.problem() === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(sut.problem()).toMatchObject({ code: 'ledger-forked' });
    expect(await world!.publishedSize()).toBe(300n);
  });

  it('that is all there is goes on under a new origin, and says what is lost', async () => {
    const [older, newer] = await published([300, 700]);
    const { pool, tenant, directory, keeper, append } = world!;
    const sut = () =>
      continueLedger({
        pool,
        tenant,
        logOrigin: LOG_ORIGIN,
        directory,
        anchors: [],
        contentOf: () => 'the same',
        entryOf: continuationOf(tenant),
      });
    await expect(sut()).rejects.toMatchObject({ code: 'invalid-request' });
    await restore(world!, 300, older!);
    await append(10);
    expect(await sut()).toMatchObject({
      incarnation: 2,
      origin: originOf(LOG_ORIGIN, tenant, 2),
      kept: 310n,
      index: 310n,
    });
    await expect(fence(world!)).resolves.toBeUndefined();
    await expect(sut()).rejects.toMatchObject({ code: 'invalid-request' });
    keeper();
    while ((await readPublished(pool, tenant, 2))?.size !== 311n)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await checkpointOf(world!, 2)).toMatchObject({ origin: originOf(LOG_ORIGIN, tenant, 2), signers: 1 });
    // The old log stays readable as far as the database has it.
    expect((await readPublished(pool, tenant, 1))!.note).toBe(older);
    expect((await directory.notes(tenant)).at(-1)).not.toBe(newer);
  });

  it('is not hidden by a note that another key signed', async () => {
    const [older, newer] = await published([300, 700]);
    await restore(world!, 300, older!);
    const forged = {
      name: 'forged',
      notes: async () => [newer!.replace('\n700\n', '\n900\n')],
      keep: async () => undefined,
    };
    const { pool, tenant, directory } = world!;
    await expect(
      passLedgerFence({ session: pool, tenant, logOrigin: LOG_ORIGIN, directory, anchors: [forged] }),
    ).rejects.toMatchObject({ detail: expect.stringContaining('a checkpoint of 700 entries') });
  });

  it('cannot be hidden by a process that wakes up late and keeps an older checkpoint', async () => {
    const [older, newer] = await published([300, 700]);
    const { directory, tenant } = world!;
    await directory.keep(tenant, { incarnation: 1, size: 300n, note: older! });
    expect((await directory.notes(tenant)).at(-1)).toBe(newer);
    const forked = older!.replace(/\n300\n.*\n/, `\n700\n${Buffer.alloc(32, 9).toString('base64')}\n`);
    await expect(directory.keep(tenant, { incarnation: 1, size: 700n, note: forked })).rejects.toMatchObject({
      code: 'ledger-forked',
    });
  });
});

describe('the key', () => {
  it('is readable by its owner alone, and nothing of it is in the database', async () => {
    const { append, untilPublished, keeper, root, tenant, query } = await start();
    keeper();
    await append(1);
    await untilPublished(1n);
    const { stat, readFile } = await import('node:fs/promises');
    expect((await stat(join(root, tenant, 'key'))).mode & 0o777).toBe(0o600);
    const pem = await readFile(join(root, tenant, 'key'), 'utf8');
    const secret = Buffer.from(pem.split('\n')[1]!, 'base64').subarray(-32);
    const [found] = await query(
      `SELECT count(*)::int AS n FROM ledger_key WHERE position($1::bytea IN public_key) > 0`,
      [secret],
    );
    expect(found).toEqual({ n: 0 });
  });

  it('is not made anew for a ledger that has one', async () => {
    const { append, untilPublished, keeper, root, tenant, files } = await start();
    const first = keeper();
    await append(1);
    await untilPublished(1n);
    await first.stop();
    await rm(join(root, tenant, 'key'));
    await append(1);
    const sut = keeper();
    while (sut.problem() === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(sut.problem()).toMatchObject({ code: 'log-key-missing' });
    expect(await files()).not.toContain('key');
    expect(await world!.publishedSize()).toBe(1n);
  });
});

describe('a keeper that stops at a step', () => {
  it.each<LedgerStep>(['hold', 'integrate', 'publish', 'published'])(
    '%s, and wakes up beside another, harms nothing',
    async (at) => {
      const { append, untilPublished, keeper, publishedSize, query, files } = await start();
      await append(300);
      let wake = (): void => undefined;
      const stopped = new Promise<void>((isStopped) => {
        keeper({
          onStep(step) {
            if (step !== at) return;
            isStopped();
            return new Promise((resolve) => {
              wake = resolve;
            });
          },
        });
      });
      await stopped;
      expect(await publishedSize()).toBe(at === 'published' ? 300n : 0n);
      await append(300);
      // The lock goes with the session that held it.
      await query(
        `SELECT pg_terminate_backend(pid) FROM pg_locks
          WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      keeper();
      await untilPublished(600n);
      const { signers, size } = await checkpointOf(world!);
      expect({ signers, size }).toEqual({ signers: 1, size: 600n });
      const before = await files();
      wake();
      await append(1);
      await untilPublished(601n);
      expect((await files()).filter((file) => !before.includes(file))).toEqual([
        'checkpoint-0000000001-00000000000000000601',
      ]);
    },
  );

  it('between the tree and its signature, with a tree that has grown since, signs nothing that another contradicts', async () => {
    const { append, untilPublished, keeper, pool, tenant, directory, publishedSize } = await start();
    await append(300);
    const sut = keeper();
    await untilPublished(300n);
    await sut.stop();
    const { note } = (await readPublished(pool, tenant))!;
    await append(100);
    keeper();
    await untilPublished(400n);
    await directory.keep(tenant, { incarnation: 1, size: 300n, note });
    expect(await publishedSize()).toBe(400n);
  });
});
