import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { checkDatabase } from '../../../src/fsck/index.js';
import { continueLedger, originOf } from '../../../src/log/index.js';
import { formatCheckpoint, formatNote } from '../../../src/merkle/index.js';
import {
  continuationOf,
  createLedgerWorld,
  LOG_ORIGIN,
  publishSizes,
  restore,
  type LedgerWorld,
} from './ledger-fixture.js';

let world: LedgerWorld;
const TABLES = ['entry', 'payload', 'dedupe', 'ledger_head', 'tree_head', 'ledger_checkpoint'];

/** A ledger that was signed up to 700 entries, was restored to 300, and went on as incarnation 2, from entry 310 on. */
beforeAll(async () => {
  world = await createLedgerWorld();
  const { pool, tenant, directory, query } = world;
  const [, older] = await publishSizes(world, [200, 300, 700]);
  await restore(world, 300, older!);
  await world.append(10);
  const anchors = { logOrigin: LOG_ORIGIN, directory, anchors: [] };
  await continueLedger({ pool, tenant, ...anchors, contentOf: () => 'the same', entryOf: continuationOf(tenant) });
  const keeper = world.keeper();
  await world.append(100);
  await world.untilPublished(411n);
  while ((await query('SELECT FROM ledger_checkpoint WHERE incarnation = 2')).length === 0)
    await new Promise((resolve) => setTimeout(resolve, 10));
  await keeper.stop();
  for (const table of TABLES) await query(`CREATE TABLE kept_${table} AS TABLE ${table}`);
});
afterAll(() => world.stop());
afterEach(async () => {
  for (const table of TABLES) await world.query(`DELETE FROM ${table}`);
  for (const table of TABLES) await world.query(`INSERT INTO ${table} TABLE kept_${table}`);
});

async function places(): Promise<readonly string[]> {
  const [report] = await checkDatabase({ pool: world.pool, ledgerDir: world.root });
  return report!.wrong.map(({ place, problem }) => `${place} ${problem}`);
}

const nameOf = (size: number, incarnation = 1) =>
  `checkpoint-${String(incarnation).padStart(10, '0')}-${String(size).padStart(20, '0')}`;
const pathOf = (size: number, incarnation = 1) => join(world.root, world.tenant, nameOf(size, incarnation));

/** Puts a checkpoint that the ledger's own key signed into its directory while `look` runs. */
async function withFile(size: number, incarnation: number, look: () => Promise<void>): Promise<void> {
  const key = (await world.directory.readKeys(world.tenant))[0]!;
  const path = pathOf(size, incarnation);
  const before = await readFile(path).catch(() => undefined);
  const origin = originOf(LOG_ORIGIN, world.tenant, incarnation);
  const text = formatCheckpoint({ origin, size: BigInt(size), root: Buffer.alloc(32, 1) });
  await writeFile(path, formatNote({ text, signatures: [key.sign(origin, text)] }));
  await look();
  if (before) await writeFile(path, before);
  else await rename(path, join(world.root, `put-aside-${size}-${incarnation}`));
}

describe('a ledger that was continued', () => {
  it('is as it must be, with the checkpoints that cover what was lost', async () => {
    expect(await readdir(join(world.root, world.tenant))).toEqual(
      expect.arrayContaining([200, 300, 700].map((size) => nameOf(size))),
    );
    expect(await places()).toEqual([]);
  });

  it('has one tree for all incarnations: a root of an earlier one is a root at its size', async () => {
    for (const size of [200, 300])
      await withFile(size, 1, async () => {
        expect(await places()).toEqual([`${pathOf(size)} its root is not that of the first ${size} entries`]);
      });
  });

  it('names a checkpoint behind the one that was continued, or of its size with another root', async () => {
    for (const size of [700, 701])
      await withFile(size, 1, async () => {
        expect(await places()).toEqual([
          expect.stringContaining(`${pathOf(size)} is not one that entry 310 continues`),
        ]);
      });
  });

  it('names a checkpoint of an incarnation that nobody opened', async () => {
    await withFile(411, 3, async () => {
      expect(await places()).toEqual([expect.stringContaining(`${pathOf(411, 3)} is of incarnation 3`)]);
    });
  });

  it('names a tree of another incarnation than the newest that an entry opened', async () => {
    await world.query('UPDATE tree_head SET incarnation = 4');
    expect(await places()).toContain('tree_head is of incarnation 4, and the newest that an entry opened is 2');
  });

  it('names the database whose own old checkpoint is not of its tree', async () => {
    await world.query('UPDATE ledger_checkpoint SET (size, note) = ($1, $2) WHERE incarnation = 1', [
      700,
      await readFile(pathOf(700), 'utf8'),
    ]);
    expect(await places()).toContainEqual(expect.stringContaining('ledger_checkpoint 1 covers 700 entries'));
  });
});
