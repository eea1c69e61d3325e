import { readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pathOf, TABLES, tenantDirectory, type Manifest } from '../../../src/archive/index.js';
import {
  createArchiveWorld,
  duck,
  FEW,
  filesOf,
  LATE_FACTS,
  LIVE,
  MANY_SEGMENTS_MS,
  only,
  readFileRows,
  submitSingly,
  type ArchiveWorld,
  type Row,
} from './archive-fixture.js';

type Tables = Readonly<Record<'uses' | 'token', readonly Row[]>>;

let world: ArchiveWorld;
/** The tables as they stood when the ledger was as long as a range's end. */
const stood = new Map<bigint, Tables>();
let manifest: Manifest;

const read = async (): Promise<Tables> => ({
  uses: await world.query(LIVE.uses, [world.stage.tenant]),
  token: await world.query(LIVE.token, [world.stage.tenant]),
});

beforeAll(async () => {
  world = await createArchiveWorld();
  stood.set(0n, { uses: [], token: [] });
  await submitSingly(world, {
    seed: 20261201,
    lineages: 60,
    async after(head) {
      if (head % FEW === 0n && !stood.has(head)) stood.set(head, await read());
    },
  });
  // Archived long after the ranges have closed: what became known since must not show.
  await world.archive();
  manifest = await world.manifest();
}, MANY_SEGMENTS_MS);
afterAll(() => world.stop());

const ranges = (): readonly (readonly [first: bigint, end: bigint])[] =>
  [...stood.keys()].filter((end) => end > 0n && end <= manifest.end).map((end) => [end - FEW, end] as const);
const byIx = (rows: readonly Row[]): Row[] => [...rows].sort((a, b) => Number(a['ix']) - Number(b['ix']));
const rowsOf = async (name: 'uses' | 'late' | 'token', first: bigint): Promise<readonly Row[]> => {
  const file = filesOf(manifest, name).find((one) => one.first === first);
  return file === undefined ? [] : readFileRows(world, file);
};

describe('the archive', () => {
  it('ends where the last range closed, and its ranges follow each other', async () => {
    const [head] = await world.query<{ next_ix: string }>('SELECT next_ix FROM ledger_head WHERE tenant = $1', [
      world.stage.tenant,
    ]);
    expect(manifest.end).toBe((BigInt(head!.next_ix) / FEW) * FEW);
    expect(ranges().length).toBeGreaterThan(3);
    for (const { first, end } of manifest.files) expect([first % FEW, end - first]).toEqual([0n, FEW]);
  });

  it('has the uses of each range as they stood at its end, every column', async () => {
    let late = 0;
    for (const [first, end] of ranges()) {
      const expected = stood.get(end)!.uses.filter(({ ix }) => BigInt(ix as string) >= first);
      expect(byIx(await rowsOf('uses', first))).toEqual(expected);
      late += expected.filter(({ bound_ix }) => bound_ix === null).length;
    }
    // Nothing is proven about late facts if every use was attributed at once.
    expect(late).toBeGreaterThan(5);
  });

  it('has, for each range, the earlier uses and all tokens about which something became known in it', async () => {
    let [uses, tokens] = [0, 0];
    for (const [first, end] of ranges()) {
      const before = new Map(stood.get(first)!.uses.map((row) => [row['ix'], JSON.stringify(only(row, LATE_FACTS))]));
      const changed = stood
        .get(end)!
        .uses.filter((row) => BigInt(row['ix'] as string) < first)
        .filter((row) => before.get(row['ix']) !== JSON.stringify(only(row, LATE_FACTS)))
        .map((row) => only(row, ['ix', ...LATE_FACTS]));
      expect(await rowsOf('late', first)).toEqual(changed);
      uses += changed.length;

      const known = new Set(stood.get(first)!.token.map((row) => JSON.stringify(row)));
      const touched = stood.get(end)!.token.filter((row) => !known.has(JSON.stringify(row)));
      expect(await rowsOf('token', first)).toEqual(touched);
      tokens += touched.filter(({ ix }) => BigInt(ix as string) < first).length;
    }
    expect(uses).toBeGreaterThan(5);
    expect(tokens).toBeGreaterThan(5);
  });

  it('tells what `access` told as of each index, once `late` is joined, and each use once', async () => {
    const root = tenantDirectory(world.root, world.stage.tenant);
    const facts = LATE_FACTS.map((name) => `coalesce(l.${name}, u.${name}) AS ${name}`);
    const newest = LATE_FACTS.map((name) => `max(${name}) AS ${name}`);
    for (const [, end] of ranges()) {
      const known = `coalesce(bound_ix < ${end}, false)`;
      const rows = await duck(`
        WITH joined AS (
          SELECT u.* EXCLUDE (${LATE_FACTS.join(', ')}, day) REPLACE (lower(hex(tok)) AS tok), ${facts.join(', ')}
          FROM read_parquet('${root}/uses/*/*.parquet', hive_partitioning = true) u
          LEFT JOIN (SELECT ix, ${newest.join(', ')} FROM read_parquet('${root}/late/*/*.parquet') GROUP BY ix) l ON l.ix = u.ix
        )
        SELECT * REPLACE (
          CASE WHEN ${known} THEN bound_ix END AS bound_ix, CASE WHEN ${known} THEN usr END AS usr, CASE WHEN ${known} THEN client END AS client,
          CASE WHEN coalesce(agent_ix, bound_ix) < ${end} THEN agent END AS agent, CASE WHEN agent_ix < ${end} THEN agent_ix END AS agent_ix,
          CASE WHEN res_bound IS NULL OR ${known} THEN res END AS res, CASE WHEN ${known} THEN res_bound END AS res_bound,
          CASE WHEN foreign_ix < ${end} THEN foreign_ix END AS foreign_ix)
        FROM joined WHERE ix < ${end} ORDER BY ix`);
      const expected = stood.get(end)!.uses;
      expect(rows).toEqual(expected.map((row) => expect.objectContaining(row)));
      expect(rows).toHaveLength(expected.length);
    }
  });

  it('has the names in files of their own, each once', async () => {
    const live = await world.query(
      `SELECT id, from_ix, kind, parts ->> -1 AS name, parts FROM entity WHERE tenant = $1 AND from_ix < $2 ORDER BY id`,
      [world.stage.tenant, String(manifest.end)],
    );
    const archived = await Promise.all(
      (['entity', 'route', 'address'] as const).flatMap((name) =>
        filesOf(manifest, name).map((file) => readFileRows(world, file)),
      ),
    );
    const names = archived.flat().sort((a, b) => Number(a['id']) - Number(b['id']));
    expect(names.map((row) => only(row, ['id', 'from_ix', 'name']))).toEqual(
      live.map((row) => only(row, ['id', 'from_ix', 'name'])),
    );
    const users = names.filter(({ kind }) => kind === 'user');
    expect(users.length).toBeGreaterThan(5);
    for (const user of users) expect((JSON.parse(user['parts'] as string) as string[])[0]).toBe(user['issuer']);
  });

  it('has no name in the other files', async () => {
    const names = await world.query<{ name: string }>(
      `SELECT DISTINCT part AS name FROM entity, jsonb_array_elements_text(parts) AS part WHERE tenant = $1 AND length(part) > 5`,
      [world.stage.tenant],
    );
    expect(names.length).toBeGreaterThan(20);
    const texts = await Promise.all(
      (['uses', 'late', 'token'] as const)
        .flatMap((name) => filesOf(manifest, name))
        .map(async (file) => JSON.stringify(await readFileRows(world, file))),
    );
    expect(names.filter(({ name }) => texts.some((text) => text.includes(name)))).toEqual([]);
  });

  it('is sorted by resource and time, with statistics for each row group', async () => {
    const [largest] = [...filesOf(manifest, 'uses')].sort((a, b) => b.rows - a.rows);
    const rows = await readFileRows(world, largest!);
    const keys = rows.map(({ res, first_at, ix }) => [res ?? 2 ** 31, Number(first_at), Number(ix)] as number[]);
    expect(keys).toEqual([...keys].sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]! || a[2]! - b[2]!));
    const path = join(tenantDirectory(world.root, world.stage.tenant), pathOf(largest!));
    const meta = await duck(
      `SELECT path_in_schema AS name, compression, stats_min_value AS least FROM parquet_metadata('${path}') WHERE path_in_schema IN ('res', 'first_at')`,
    );
    expect(meta).toHaveLength(2);
    for (const column of meta) expect(column).toMatchObject({ compression: 'ZSTD', least: expect.anything() });
  });

  it('says in the manifest what each file is, and the file says it too', async () => {
    const day = new Date().toISOString().slice(0, 8);
    for (const file of manifest.files) {
      const path = join(tenantDirectory(world.root, world.stage.tenant), pathOf(file));
      expect(file.day).toMatch(new RegExp(`^${day}`));
      expect((await stat(path)).size).toBe(file.bytes);
      const rows = await readFileRows(world, file);
      expect(rows).toHaveLength(file.rows);
      const times = rows.map(({ first_at }) => Number(first_at));
      if (file.name === 'uses' && rows.length > 0) expect(file.firstAt).toBe(Math.min(...times));
      const kept = await duck(
        `SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata('${path}') WHERE decode(key) LIKE 'rescind.%' ORDER BY key`,
      );
      expect(Object.fromEntries(kept.map(({ key, value }) => [key, value]))).toEqual({
        'rescind.format': '1',
        'rescind.kind': file.name,
        'rescind.tenant': world.stage.tenant,
        'rescind.range': `${file.first}-${file.end}`,
      });
    }
    // Nothing else lies there.
    expect((await world.files()).map((path) => relative(world.root, path))).toEqual(
      [
        'place.json',
        ...manifest.files.map((file) =>
          relative(world.root, join(tenantDirectory(world.root, world.stage.tenant), pathOf(file))),
        ),
      ].sort(),
    );
  });

  it('has a file of every table in the first range, so that each can be opened', () => {
    expect(
      manifest.files
        .filter(({ first }) => first === 0n)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(Object.keys(TABLES).sort());
  });

  it(
    'is made anew with the same bytes',
    async () => {
      const contents = async (): Promise<readonly string[]> =>
        Promise.all(
          (await world.files())
            .slice(1)
            .map(async (path) => `${relative(world.root, path)} ${(await readFile(path)).toString('base64')}`),
        );
      const before = await contents();
      await world.query('DELETE FROM archive_file');
      await world.query('DELETE FROM archive_head');
      await world.archive();
      expect(await contents()).toEqual(before);
    },
    MANY_SEGMENTS_MS,
  );
});
