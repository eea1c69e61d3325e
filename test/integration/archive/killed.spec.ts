import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { archiveNext, pathOf, STEPS, tenantDirectory } from '../../../src/archive/index.js';
import { createPool } from '../../../src/platform/postgres/index.js';
import { createArchiveWorld, duck, FEW, submitSingly, type ArchiveWorld, MANY_SEGMENTS_MS } from './archive-fixture.js';

jest.setTimeout(MANY_SEGMENTS_MS);

let world: ArchiveWorld;
beforeAll(async () => {
  world = await createArchiveWorld();
  await submitSingly(world, { seed: 7, lineages: 25 });
});
afterAll(() => world.stop());
/** Nothing is archived yet. */
beforeEach(async () => {
  await world.query('TRUNCATE archive_head, archive_file, archive_place');
  for (const name of await readdir(world.root)) await rm(join(world.root, name), { recursive: true });
});

/** Begins the next segment and stops for good after the step: no code of it runs any more, and its session ends, as when a process is killed. */
async function killAfter(step: (typeof STEPS)[number]): Promise<void> {
  const pool = createPool({ url: world.stage.database.url, max: 1, applicationName: 'killed' });
  await new Promise<void>((resolve, reject) => {
    archiveNext({
      pool,
      root: world.root,
      segmentEntries: FEW,
      onStep: (reached) => {
        if (reached !== step) return;
        resolve();
        return new Promise(() => undefined);
      },
    }).then(() => reject(new Error(`no segment reached the step ${step}`)), reject);
  });
  await world.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'killed'");
  for (;;) {
    const left = await world.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'killed'");
    if (left.length === 0) return;
  }
}

async function judge(): Promise<void> {
  const { end, files } = await world.manifest();
  const directory = tenantDirectory(world.root, world.stage.tenant);
  const [{ next_ix: head } = { next_ix: '0' }] = await world.query<{ next_ix: string }>(
    'SELECT next_ix FROM ledger_head WHERE tenant = $1',
    [world.stage.tenant],
  );
  expect(end).toBe((BigInt(head) / FEW) * FEW);
  const archived = await duck(`SELECT ix FROM read_parquet('${directory}/uses/*/*.parquet') ORDER BY ix`);
  const live = await world.query('SELECT ix FROM access WHERE tenant = $1 AND ix < $2 ORDER BY ix', [
    world.stage.tenant,
    String(end),
  ]);
  expect(archived.length).toBeGreaterThan(20);
  expect(archived).toEqual(live);
  expect((await world.files()).map((path) => relative(world.root, path))).toEqual(
    ['place.json', ...files.map((file) => relative(world.root, join(directory, pathOf(file))))].sort(),
  );
}

describe('an archiver that is killed', () => {
  it.each(STEPS)('after the step %s of the first segment goes on, and nothing is there twice', async (step) => {
    await killAfter(step);
    await world.archive();
    await judge();
  });

  it('after each step of a later segment goes on', async () => {
    await archiveNext({ pool: world.stage.database.pool, root: world.root, segmentEntries: FEW });
    for (const step of STEPS.slice(0, -1)) await killAfter(step);
    await world.archive();
    await judge();
  });

  it('between the file that names the directory and the row about it takes the directory again', async () => {
    await world.archive();
    const named = await readFile(join(world.root, 'place.json'), 'utf8');
    for (const table of ['archive_file', 'archive_head', 'archive_place']) await world.query(`DELETE FROM ${table}`);
    // With files in it, the directory may be that of another database.
    await expect(world.archive()).rejects.toThrow(/another database/);
    await rm(join(world.root, 'v1'), { recursive: true });
    await world.archive();
    await judge();
    expect(await readFile(join(world.root, 'place.json'), 'utf8')).toBe(named);
  });
});

it('files without a manifest row are removed before the next segment', async () => {
  const directory = tenantDirectory(world.root, world.stage.tenant);
  const today = new Date().toISOString().slice(0, 10);
  const left = [
    join(directory, 'uses', `day=${today}`, '0000000000000000-0000000000000017.parquet'),
    join(directory, 'late', `day=${today}`, '0000000000000064-0000000000000100.parquet'),
    join(directory, '.tmp', 'x', 'uses.csv'),
  ];
  for (const path of left) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, 'left by a killed writer');
  }
  await world.archive();
  await judge();
});
