import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { archiveNext, findDamaged } from '../../../src/archive/index.js';
import { commitSegment } from '../../../src/archive/manifest.pg.js';
import { createPool } from '../../../src/platform/postgres/index.js';
import { createArchiveWorld, duck, FEW, submitSingly, type ArchiveWorld, MANY_SEGMENTS_MS } from './archive-fixture.js';

jest.setTimeout(MANY_SEGMENTS_MS);

let world: ArchiveWorld;
beforeAll(async () => {
  world = await createArchiveWorld();
  await submitSingly(world, { seed: 11, lineages: 40 });
});
afterAll(() => world.stop());

it('two writers at once make one archive', async () => {
  const wrote = [0, 0];
  let refused = 0;
  const isDone = async (): Promise<boolean> => {
    const [left] = await world.query<{ left: string }>(
      'SELECT h.next_ix - coalesce(a.end_ix, 0) AS left FROM ledger_head h LEFT JOIN archive_head a USING (tenant) WHERE tenant = $1',
      [world.stage.tenant],
    );
    return BigInt(left!.left) < FEW;
  };
  const writer = async (nth: 0 | 1): Promise<void> => {
    const pool = createPool({ url: world.stage.database.url, max: 1, applicationName: `writer-${nth}` });
    try {
      while (!(await isDone())) {
        const done = await archiveNext({ pool, root: world.root, segmentEntries: FEW });
        if (done === undefined) refused += 1;
        else wrote[nth] = wrote[nth]! + 1;
      }
    } finally {
      await pool.end();
    }
  };
  await Promise.all([writer(0), writer(1)]);
  const { end, files } = await world.manifest();
  expect(BigInt(wrote[0]! + wrote[1]!)).toBe(end / FEW);
  expect(refused).toBeGreaterThan(0);
  expect(new Set(files.map(({ name, first }) => `${name} ${first}`)).size).toBe(files.length);
  expect(await findDamaged({ pool: world.stage.database.pool, root: world.root })).toEqual([]);
  const [archived] = await duck(
    `SELECT count(*)::INTEGER AS n, count(DISTINCT ix)::INTEGER AS once FROM read_parquet('${world.root}/v1/*/uses/*/*.parquet')`,
  );
  const [live] = await world.query('SELECT count(*)::int AS n FROM access WHERE tenant = $1 AND ix < $2', [
    world.stage.tenant,
    String(end),
  ]);
  expect(archived).toEqual({ n: live!['n'], once: live!['n'] });
});

it('a segment is committed only where the archive ends, also without the lock', async () => {
  const before = await world.manifest();
  const client = await world.stage.database.pool.connect();
  try {
    for (const first of [0n, before.end - FEW, before.end + FEW])
      await expect(
        commitSegment(client, { tenant: world.stage.tenant, first, end: first + FEW, day: '2026-11-24' }, []),
      ).rejects.toThrow(`does not end at ${first}`);
  } finally {
    client.release();
  }
  expect(await world.manifest()).toEqual(before);
});
