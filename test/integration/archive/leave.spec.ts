import { rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createArchiver, leaveDue, pathOf, rebuildArchive, tenantDirectory } from '../../../src/archive/index.js';
import { createArchivedUses, createExplore, type ArchivedUses } from '../../../src/explore/index.js';
import {
  ENTER_GATE,
  makePartitions,
  readShape,
  REBUILD_CONNECTIONS,
  type Rebuilt,
} from '../../../src/projections/index.js';
import { createQuestions, createReader, type Questions } from '../../../src/query/index.js';
import { createTurns } from '../../../src/registry/index.js';
import { createMetrics } from '../../../src/platform/observe/index.js';
import { createPool, onConnection } from '../../../src/platform/postgres/index.js';
import { access, API, fromChat, fromIdp, IDP, idJag, RAS, token } from '../../support/stage.js';
import { testLog } from '../../support/services.js';
import { differing, rebuild } from '../projections/rebuild-fixture.js';
import { createArchiveWorld, filesOf, MANY_SEGMENTS_MS, type ArchiveWorld } from './archive-fixture.js';

jest.setTimeout(MANY_SEGMENTS_MS);

const DAY_S = 86_400;
/** Uses of users are summed by so many entries; those of the open block stay. */
const USER_BLOCK = 16_384;
const now = Math.floor(Date.now() / 1_000);
/** Every use of the spec is older than a day by then. */
const LATER = now + 3 * DAY_S;

let world: ArchiveWorld;
let cold: ArchivedUses;
let questions: Questions;
let tenant: string;
beforeAll(async () => {
  world = await createArchiveWorld();
  tenant = world.stage.tenant;
  const { pool } = world.stage.database;
  cold = createArchivedUses({ log: testLog(), archiveRoot: world.root });
  questions = createQuestions({ pool, control: () => world.stage.follower.state, cold });
});
afterAll(async () => {
  await cold?.stop();
  await world?.stop();
});

const count = async (sql: string): Promise<number> =>
  (await world.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${sql}`))[0]!.n;
const head = async (): Promise<number> =>
  Number(
    (await world.query<{ ix: string }>('SELECT next_ix AS ix FROM ledger_head WHERE tenant = $1', [tenant]))[0]!.ix,
  );
const leave = (nowS = LATER) =>
  leaveDue({ pool: world.stage.database.pool, root: world.root, log: testLog(), hotDays: 1, nowS });
/** Rebuilds as the command does, on sessions that have written nothing before. */
async function rebuildAlone(): Promise<Rebuilt> {
  const pool = createPool({ url: world.stage.database.url, max: REBUILD_CONNECTIONS, applicationName: 'spec-rebuild' });
  try {
    return await rebuild(world.stage, { pool });
  } finally {
    await pool.end();
  }
}
let said = 0;
const use = (jti = 'at-1') =>
  fromChat('access.allowed', access({ token: { iss: RAS, jti }, trace_id: `use-${(said += 1)}` }));
/** Fills the block of users that is open, and begins the next. */
async function closeBlock(): Promise<void> {
  const end = (Math.floor((await head()) / USER_BLOCK) + 1) * USER_BLOCK + 1;
  for (let left = end - (await head()); left > 0; left -= 1_000)
    await world.stage.emit(...Array.from({ length: Math.min(left, 1_000) }, () => use()));
}

/** Answers that need single uses: of a user, of a token, as of a moment within a block, by window, of the whole export. */
async function ask(): Promise<unknown> {
  const window = { from: String(now - DAY_S), to: String(now + DAY_S) };
  const alice = { user_iss: IDP, user_sub: 'alice' };
  const asOf = { as_of: '9000' };
  return {
    newest: await questions.access(tenant, { resource: API, limit: '1000', ...asOf }),
    ofUser: await questions.access(tenant, { ...alice, ...window, limit: '3', as_of: String(USER_BLOCK) }),
    tail: await questions.access(tenant, { after_index: '5000', limit: '5', ...asOf }),
    counts: await questions.accessCounts(tenant, { ...alice, ...asOf }),
    hours: await questions.accessCounts(tenant, { by: 'hour', resource: API, ...asOf }),
    graph: await questions.graph(tenant, { ...asOf }),
    ofWindow: await questions.graph(tenant, { ...window, ...alice, as_of: String(USER_BLOCK) }),
    token: await questions.token.byName(tenant, { iss: RAS, jti: 'at-1', ...asOf }),
    timeline: await questions.timeline(tenant, { ...alice, ...asOf }),
    coverage: await questions.coverage(tenant, asOf),
    ocsf: await text((await questions.exportOcsf(tenant, { after_index: '12', before_index: '2500' })).body),
  };
}

describe('uses that are older than HOT_DAYS', () => {
  let hot: unknown;

  it('become partitions of the table, under the same names of indexes', async () => {
    const indexes = () =>
      world.query(
        "SELECT replace(replace(indexdef, 'ON ONLY', 'ON'), 'public.', '') AS def FROM pg_indexes WHERE tablename = 'access' ORDER BY 1",
      );
    const before = await indexes();
    const made = await onConnection(world.stage.database.pool, (client) =>
      makePartitions(client, { widthS: DAY_S, nowS: now - 2 * DAY_S }),
    );
    expect(made.length).toBeGreaterThan(0);
    expect(made.at(-1)!.to).toBeGreaterThan(now - DAY_S);
    expect(await indexes()).toEqual(before);
    expect(await onConnection(world.stage.database.pool, readShape)).toMatchObject({
      isPartitioned: true,
      partitions: made,
    });
  });

  it('leave with their partition once they are archived; those that still wait for their token or its agent stay', async () => {
    // The present lies in a partition of its own.
    await onConnection(world.stage.database.pool, (client) =>
      makePartitions(client, { widthS: DAY_S, nowS: now - DAY_S / 2 }),
    );
    await world.stage.emit(fromIdp('id-jag.issued', idJag()), fromChat('token.issued', token()));
    const { iss, jti, sub, client_id } = { ...idJag(), jti: 'gr-later' };
    await world.stage.emit(fromChat('token.issued', token({ jti: 'at-agent', id_jag: { iss, jti, sub, client_id } })));
    await world.stage.emit(use('at-waits'), use('at-late'), use('at-agent'), use());
    await world.stage.emit(fromChat('token.issued', token({ jti: 'at-late' })));
    await closeBlock();
    // Nothing is archived yet.
    expect(await leave()).toBeUndefined();
    await world.archive(4_096n);
    hot = await ask();
    const uses = await count('access');
    const left = await leave();
    expect(left).toMatchObject({ uses: uses - 3, staying: 3 });
    // The two that wait, and the one of the open block.
    expect(await count('access')).toBe(3);
    expect(await world.query('SELECT end_ix::int FROM access_cold')).toEqual([{ end_ix: USER_BLOCK }]);
  });

  it('are in every answer as before', async () => {
    expect(await ask()).toEqual(hot);
  });

  it('get what they waited for when it comes', async () => {
    await world.stage.emit(fromChat('token.issued', token({ jti: 'at-waits' })));
    await world.stage.emit(fromIdp('id-jag.issued', idJag({ jti: 'gr-later' })));
    expect(await count('access WHERE agent_ix IS NOT NULL')).toBe(1);
    const { accesses } = await questions.token.byName(tenant, { iss: RAS, jti: 'at-waits' });
    expect(accesses).toMatchObject({ count: 1, allowed: 1 });
    expect(await ask()).toEqual(hot);
  });

  it('are missed loudly: a file that is missing or cut is an error, never a smaller answer', async () => {
    const [, file] = filesOf(await world.manifest(), 'uses');
    const path = join(tenantDirectory(world.root, tenant), pathOf(file!));
    await truncate(path, file!.bytes - 1);
    await expect(ask()).rejects.toMatchObject({ code: 'archive-damaged' });
    await rm(path);
    await expect(ask()).rejects.toMatchObject({ code: 'archive-damaged' });
    // Neither is its file made anew from what is left.
    await expect(rebuildArchive({ pool: world.stage.database.pool, root: world.root })).rejects.toMatchObject({
      code: 'archive-damaged',
      detail: expect.stringContaining('rescind rebuild usage'),
    });
  });

  it('come back with a rebuild, which finds no difference, and make the archive anew', async () => {
    const rebuilt = await rebuildAlone();
    expect(differing(rebuilt)).toEqual({});
    expect(rebuilt).toMatchObject({ switched: true, verified: true });
    expect([await count('access_cold'), await count('access')]).toEqual([0, said]);
    expect(await rebuildArchive({ pool: world.stage.database.pool, root: world.root })).toMatchObject({
      segments: 1,
      otherRows: 0,
    });
    expect(await ask()).toEqual(hot);
  });

  it('leave again, from a table without partitions', async () => {
    expect((await leave())!.uses).toBeGreaterThan(USER_BLOCK - 20);
    expect(await ask()).toEqual(hot);
  });

  it('are added up by the engine of explore if they are more than one question lays beside the others', async () => {
    const { pool } = world.stage.database;
    const control = () => world.stage.follower.state;
    const reader = createReader(control);
    const few = createArchivedUses({ log: testLog(), archiveRoot: world.root, most: 10 });
    const explore = createExplore({
      pool,
      log: testLog(),
      turns: createTurns({ atOnce: 1 }),
      sources: { find: reader.findSource, all: reader.sources },
      nameOfSource: (id) => reader.source(id).name ?? id,
      archiveRoot: world.root,
      home: world.root,
    });
    try {
      const alice = { user_iss: IDP, user_sub: 'alice', operation: 'read', as_of: '9000' };
      const expected = await questions.accessCounts(tenant, alice);
      expect(expected.total.accesses).toBeGreaterThan(10);
      const bounded = createQuestions({ pool, control, cold: few, findUses: explore });
      expect(await bounded.accessCounts(tenant, alice)).toEqual(expected);
      await expect(bounded.timeline(tenant, { user_iss: IDP, user_sub: 'alice', as_of: '9000' })).rejects.toMatchObject(
        {
          code: 'filter-too-wide',
        },
      );
    } finally {
      await explore.stop();
      await few.stop();
    }
  });

  it('stay while a file of theirs is damaged', async () => {
    await rebuildAlone();
    const uses = await count('access');
    const [file] = filesOf(await world.manifest(), 'uses');
    await truncate(join(tenantDirectory(world.root, tenant), pathOf(file!)), 10);
    expect(await leave()).toMatchObject({ uses: 0 });
    expect(await count('access')).toBe(uses);
    await rebuildArchive({ pool: world.stage.database.pool, root: world.root });
  });

  it('wait for questions that are under way', async () => {
    await onConnection(world.stage.database.pool, (client) =>
      makePartitions(client, { widthS: DAY_S, nowS: now + 2 * DAY_S }),
    );
    const { partitions } = await onConnection(world.stage.database.pool, readShape);
    expect(partitions.length).toBeGreaterThan(0);
    await onConnection(world.stage.database.pool, async (client) => {
      await client.query('BEGIN');
      await client.query(ENTER_GATE);
      expect(await leave(now + 30 * DAY_S)).toMatchObject({ partitions: 0 });
      await client.query('COMMIT');
    });
    expect((await leave(now + 30 * DAY_S))!.partitions).toBe(partitions.length);
    expect(await ask()).toEqual(hot);
  });

  it('are looked for by the archiver, whose metrics count them', async () => {
    await rebuildAlone();
    const metrics = createMetrics();
    const { pool } = world.stage.database;
    // The clock of the database says today, so only uses of before would leave.
    await pool.query('UPDATE access SET at = at - $1::bigint WHERE ix < 1000', [5 * DAY_S]);
    await pool.query('UPDATE archive_file SET first_at = first_at - $1::bigint', [5 * DAY_S]);
    // Two of them got what they waited for after the archive's end.
    const old = (await count('access WHERE ix < 1000')) - 2;
    const archiver = createArchiver({
      pool,
      root: world.root,
      log: testLog(),
      metrics,
      hotDays: 2,
      lookEveryMs: 20,
      leaveEveryMs: 20,
    });
    archiver.start();
    const told = new RegExp(`^rescind_archive_left_uses_total ${old}$`, 'm');
    while (!told.test(await metrics.text())) await delay(20);
    await archiver.stop();
    expect(await count('access WHERE ix < 1000')).toBe(2);
    expect(await metrics.text()).toMatch(/^rescind_archive_staying_uses 0$/m);
  });
});
