import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createArchiver, TABLES } from '../../../src/archive/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { testLog } from '../../support/services.js';
import { access, fromChat, fromIdp, idJag } from '../../support/stage.js';
import {
  createArchiveWorld,
  FEW,
  filesOf,
  listFiles,
  readFileRows,
  type ArchiveWorld,
  MANY_SEGMENTS_MS,
} from './archive-fixture.js';

const DAY_MS = 86_400_000;

jest.setTimeout(MANY_SEGMENTS_MS);

let world: ArchiveWorld;
beforeEach(async () => {
  world = await createArchiveWorld();
});
afterEach(() => world.stop());

const emit = async (uses: number): Promise<void> =>
  void (await world.stage.emit(...Array.from({ length: uses }, () => fromChat('access.allowed', access()))));
const headOf = async (): Promise<bigint> =>
  BigInt(
    (
      await world.query<{ n: string }>('SELECT next_ix AS n FROM ledger_head WHERE tenant = $1', [world.stage.tenant])
    )[0]!.n,
  );
/** Lets the entries from `first` up to `end` have arrived so many days ago. */
const age = (days: number, first: bigint, end: bigint): Promise<unknown> =>
  world.query('UPDATE entry SET arrival = arrival - $2::bigint * $3 WHERE tenant = $1 AND ix >= $4 AND ix < $5', [
    world.stage.tenant,
    DAY_MS,
    days,
    String(first),
    String(end),
  ]);

describe('a range', () => {
  it('that is neither full nor of a day that is over is not archived', async () => {
    await emit(10);
    expect(await world.archive(1_000n)).toEqual([]);
    expect(await world.files()).toEqual([]);
  });

  it('ends with its day of arrival, and with the next multiple of the size of a segment', async () => {
    await emit(30);
    const second = await headOf();
    await emit(100);
    const third = await headOf();
    await emit(20);
    await age(9, 0n, second);
    await age(2, second, third);
    const ends = (await world.archive(FEW)).map(({ range: { first, end } }) => [first, end]);
    const multiples = Array.from({ length: Number(third / FEW) }, (_, n) => BigInt(n + 1) * FEW);
    const all = [...new Set([second, third, ...multiples])].sort((a, b) => Number(a - b));
    expect(ends.map(([, end]) => end)).toEqual(all.filter((end) => end <= third || end % FEW === 0n));
    expect(ends.map(([first]) => first)).toEqual([0n, ...all.slice(0, ends.length - 1)]);
    const manifest = await world.manifest();
    expect(new Set(manifest.files.map(({ day }) => day)).size).toBe(2);
    const days = await readdir(join(world.root, 'v1', world.stage.tenant, 'uses'));
    expect(days.sort()).toEqual([...new Set(filesOf(manifest, 'uses').map(({ day }) => `day=${day}`))].sort());
    const rows = await Promise.all(filesOf(manifest, 'uses').map((file) => readFileRows(world, file)));
    expect(rows.flat()).toHaveLength(130);
  });

  it('without uses moves the end, and has no file of uses', async () => {
    await emit(Number(FEW));
    const grants = Array.from({ length: 2 * Number(FEW) }, (_, n) =>
      fromIdp('id-jag.issued', idJag({ jti: `gr-${n}` })),
    );
    await world.stage.emit(...grants);
    const written = await world.archive();
    const last = written.at(-1)!;
    expect(last.range.end).toBe((await world.manifest()).end);
    expect(last.files.map(({ name }) => name)).not.toContain('uses');
    expect(written[0]!.files.map(({ name }) => name).sort()).toEqual(Object.keys(TABLES).sort());
  });
});

describe('tenants', () => {
  it('never share a directory', async () => {
    await emit(20);
    // A second ledger with the same entries: what is compared is where its files go.
    const other = '7a1f3a52-6f0e-4f7c-9d0a-3f6f6f1a2b3c';
    for (const [table, columns] of [
      ['ledger_head', 'next_ix, last_arrival, next_entity'],
      ['entry', 'ix, arrival, type, source, commitment, leaf_hash'],
      ['entity', 'id, kind, key, parts, from_ix'],
      ['access', 'ix, bound_ix, at, until_at, usr, client, res, outcome, source, tok, n'],
    ] as const)
      await world.query(
        `INSERT INTO ${table} (tenant, ${columns}) SELECT $2, ${columns} FROM ${table} WHERE tenant = $1`,
        [world.stage.tenant, other],
      );
    await world.query('UPDATE entry SET arrival = arrival - $1::bigint', [DAY_MS]);
    await world.query('UPDATE access SET tok = $2 WHERE tenant = $1', [other, Buffer.alloc(16, 7)]);
    await world.archive();
    expect((await readdir(join(world.root, 'v1'))).sort()).toEqual([other, world.stage.tenant].sort());
    for (const [tenant, isOther] of [
      [other, true],
      [world.stage.tenant, false],
    ] as const) {
      const manifest = await world.manifest(tenant);
      const rows = (
        await Promise.all(filesOf(manifest, 'uses').map((file) => readFileRows(world, file, tenant)))
      ).flat();
      expect(rows).toHaveLength(20);
      expect(rows.every(({ tok }) => (tok === '07'.repeat(16)) === isOther)).toBe(true);
      expect(await listFiles(join(world.root, 'v1', tenant))).toHaveLength(manifest.files.length);
    }
  });
});

describe('a running archiver', () => {
  function startArchiver() {
    const metrics = createMetrics();
    const archiver = createArchiver({
      pool: world.stage.database.pool,
      root: world.root,
      log: testLog(),
      metrics,
      segmentEntries: FEW,
      lookEveryMs: 20,
    });
    archiver.start();
    return { archiver, metrics };
  }

  it('archives what closes while it runs, and says how far behind it is', async () => {
    const { archiver, metrics } = startArchiver();
    try {
      for (let round = 1; round <= 3; round += 1) {
        await emit(Number(FEW));
        while ((await world.manifest()).end < ((await headOf()) / FEW) * FEW) await delay(10);
      }
      while (!/^rescind_archive_lag_seconds 0$/m.test(await metrics.text())) await delay(10);
      expect(await metrics.text()).toMatch(/^rescind_archive_segments_total [1-9]/m);
    } finally {
      await archiver.stop();
    }
  });

  it('tries again if it cannot write, and its lag shows it', async () => {
    const blocker = join(world.root, 'v1');
    await writeFile(blocker, 'a file in place of the directory');
    await emit(Number(FEW) + 1);
    const { archiver, metrics } = startArchiver();
    try {
      while (!/^rescind_archive_lag_seconds (?!0$)/m.test(await metrics.text())) await delay(10);
      expect((await world.manifest()).end).toBe(0n);
      await rm(blocker);
      while (!/^rescind_archive_lag_seconds 0$/m.test(await metrics.text())) await delay(10);
      expect((await world.manifest()).end).toBeGreaterThan(0n);
    } finally {
      await archiver.stop();
    }
  });
});
