import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  archiveNext,
  createArchiver,
  findDamaged,
  pathOf,
  rebuildArchive,
  tenantDirectory,
} from '../../../src/archive/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { testLog } from '../../support/services.js';
import {
  createArchiveWorld,
  FEW,
  filesOf,
  submitSingly,
  type ArchiveWorld,
  MANY_SEGMENTS_MS,
} from './archive-fixture.js';

jest.setTimeout(MANY_SEGMENTS_MS);

let world: ArchiveWorld;
beforeAll(async () => {
  world = await createArchiveWorld();
  await submitSingly(world, { seed: 23, lineages: 40 });
  await world.archive();
});
afterAll(() => world.stop());

const ADVISORY_LOCKS = `SELECT FROM pg_locks JOIN pg_database d ON d.oid = database
  WHERE locktype = 'advisory' AND d.datname = current_database()`;

const pathsOf = async (name: 'uses' | 'entity'): Promise<readonly string[]> =>
  filesOf(await world.manifest(), name).map((file) =>
    join(tenantDirectory(world.root, world.stage.tenant), pathOf(file)),
  );
const options = () => ({ pool: world.stage.database.pool, root: world.root });
const contents = async (): Promise<ReadonlyMap<string, string>> =>
  new Map(
    await Promise.all(
      (await world.files()).map(async (path) => [path, (await readFile(path)).toString('base64')] as const),
    ),
  );

describe('a damaged file', () => {
  it('is found: missing, cut, or changed; and made anew with the same bytes', async () => {
    expect(await findDamaged(options())).toEqual([]);
    const before = await contents();
    const [first, second, third] = await pathsOf('uses');
    await rm(first!);
    await truncate(second!, 100);
    const bytes = await readFile(third!);
    bytes[40] = bytes[40]! ^ 1;
    await writeFile(third!, bytes);
    expect((await findDamaged(options())).map(({ path, problem }) => [path, problem])).toEqual([
      [first, 'missing'],
      [second, 'size'],
      [third, 'sha256'],
    ]);
    const rebuilt = await rebuildArchive(options());
    expect(rebuilt).toMatchObject({ segments: 3, otherRows: 0 });
    expect(rebuilt.damaged).toHaveLength(3);
    expect(await findDamaged(options())).toEqual([]);
    expect(await contents()).toEqual(before);
    expect(await rebuildArchive(options())).toMatchObject({ damaged: [], segments: 0 });
  });

  it('is counted by a running archiver, until it has been made anew', async () => {
    const [path] = await pathsOf('entity');
    await rm(path!);
    const metrics = createMetrics();
    const archiver = createArchiver({ ...options(), log: testLog(), metrics, segmentEntries: FEW, lookEveryMs: 20 });
    archiver.start();
    try {
      while (!/^rescind_archive_damaged_files 1$/m.test(await metrics.text())) await delay(10);
    } finally {
      await archiver.stop();
    }
    expect(await rebuildArchive(options())).toMatchObject({ segments: 1, otherRows: 0 });
  });

  it('tells if the tables have changed since', async () => {
    const [path] = await pathsOf('uses');
    await rm(path!);
    const { first, end } = filesOf(await world.manifest(), 'uses')[0]!;
    await world.query(
      'DELETE FROM access WHERE tenant = $1 AND ix = (SELECT min(ix) FROM access WHERE tenant = $1 AND ix >= $2 AND ix < $3)',
      [world.stage.tenant, String(first), String(end)],
    );
    expect(await rebuildArchive(options())).toMatchObject({ segments: 1, otherRows: 1 });
    expect(await findDamaged(options())).toEqual([]);
  });
});

describe('another directory', () => {
  it('is not written to, and `rebuild archive` moves the archive there if it is empty', async () => {
    const other = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-other-`));
    try {
      await submitSingly(world, { seed: 24, lineages: 20 });
      await expect(archiveNext({ pool: world.stage.database.pool, root: other, segmentEntries: FEW })).rejects.toThrow(
        /not the one that the archive was begun in/,
      );
      const files = (await world.manifest()).files.length;
      const moved = await rebuildArchive({ pool: world.stage.database.pool, root: other });
      expect(moved.damaged).toHaveLength(files);
      expect(await findDamaged({ pool: world.stage.database.pool, root: other })).toEqual([]);
      // The old directory would miss what is written from now on.
      await expect(world.archive()).rejects.toThrow(/moved away/);
      // The lock is free when the server has ended the session that failed.
      while ((await world.query(ADVISORY_LOCKS)).length > 0) await delay(10);
      expect(await archiveNext({ pool: world.stage.database.pool, root: other, segmentEntries: FEW })).toMatchObject({
        range: expect.anything(),
      });
    } finally {
      await rm(other, { recursive: true });
    }
  });

  it('of another database is refused', async () => {
    await writeFile(
      join(world.root, 'place.json'),
      JSON.stringify({ archive: '11111111-2222-4333-8444-555555555555' }),
    );
    await expect(world.archive()).rejects.toThrow(/another database/);
    await expect(rebuildArchive(options())).rejects.toMatchObject({ code: 'config-invalid' });
  });
});
