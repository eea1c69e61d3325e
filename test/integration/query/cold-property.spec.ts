import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { writeSegment } from '../../../src/archive/write-segment.pg.js';
import { createArchivedUses, createExplore, type ArchivedUses, type Explore } from '../../../src/explore/index.js';
import { createRangeKeeper } from '../../../src/log/index.js';
import { MIGRATIONS } from '../../../src/migrations.js';
import { inTransaction, onConnection, runMigrations } from '../../../src/platform/postgres/index.js';
import { createAsk, deleteCold, readAttributions, readOpenEdges } from '../../../src/projections/index.js';
import { createQuestions, createReader, type Questions } from '../../../src/query/index.js';
import { createTurns } from '../../../src/registry/index.js';
import { createTestDatabase, testLog, type TestDatabase } from '../../support/services.js';
import { histories, type Leap, type SaidBatch } from './as-of-histories.js';
import { AS_OF_QUESTIONS, type Deployment } from './as-of-questions.js';
import { ACME, GLOBEX, NOW, say, startQueryApi, T, writeHistory, type Said } from './history.js';
import { CRM, IDP } from './story.js';

const RUNS = Number(process.env['RUNS'] ?? 3);
const SEED = Number(process.env['SEED'] ?? 3);
/** Moments of one history at which every question is asked, twice. */
const MOMENTS = 2;
const BLOCK = 65_536n;
const FAR = 16n * BLOCK;
const FIRST_ARRIVAL = (T + 90_000) * 1_000;

let registered: Awaited<ReturnType<typeof startQueryApi>>;
let template: { readonly name: string; drop(): Promise<void> };
beforeAll(async () => {
  registered = await startQueryApi([]);
  const database = await createTestDatabase();
  await runMigrations({ url: database.url, migrations: MIGRATIONS });
  await createRangeKeeper({
    pool: database.pool,
    onError: (error) => {
      throw error;
    },
  }).ensure(60n * FAR);
  const name = new URL(database.url).pathname.slice(1);
  await database.pool.end();
  template = { name, drop: () => registered.pool.query(`DROP DATABASE ${name}`).then(() => undefined) };
});
afterAll(async () => {
  await template.drop();
  await registered.stop();
});

interface World extends Deployment {
  readonly root: string;
  readonly explore: Explore;
  readonly cold: ArchivedUses;
  write(said: readonly Said[], leap: Leap): Promise<void>;
  stop(): Promise<void>;
}

async function createWorld(): Promise<World> {
  const database: TestDatabase = await createTestDatabase(template.name);
  const { pool } = database;
  const root = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-archive-`));
  const log = testLog();
  const cold: ArchivedUses = createArchivedUses({ log, archiveRoot: root });
  const { findSource, sources, source } = createReader(registered.control);
  const explore = createExplore({
    pool,
    log,
    turns: createTurns({ atOnce: 2 }),
    sources: { find: findSource, all: sources },
    nameOfSource: (id) => source(id).name,
    archiveRoot: root,
    home: root,
    now: () => NOW,
  });
  const questions: Questions = createQuestions({
    pool,
    control: registered.control,
    now: () => NOW,
    findUses: explore,
    cold,
  });
  const heads = new Map([
    [ACME, 0n],
    [GLOBEX, 0n],
  ]);
  let arrivals = 0;
  for (const tenant of heads.keys()) await pool.query('INSERT INTO ledger_head (tenant) VALUES ($1)', [tenant]);
  return {
    pool,
    root,
    explore,
    cold,
    questions,
    head: () => heads.get(ACME)!,
    async write(said, leap) {
      const others = said.map((one): Said => ({ ...one, source: 'globex' }));
      if (said.length > 0)
        await inTransaction(pool, (client) =>
          writeHistory(client, [...said, ...others], () => FIRST_ARRIVAL + arrivals++ * 1_000),
        );
      for (const tenant of heads.keys()) {
        const { rows } = await pool.query('SELECT next_ix FROM ledger_head WHERE tenant = $1', [tenant]);
        const head = BigInt(rows[0].next_ix);
        heads.set(tenant, head);
        await pool.query('UPDATE ledger_head SET next_ix = $2 WHERE tenant = $1', [
          tenant,
          String(leapFrom(head, leap)),
        ]);
      }
    },
    async stop() {
      await explore.stop();
      await cold.stop();
      await database.drop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

function leapFrom(head: bigint, leap: Leap): bigint {
  if (leap === 'none') return head;
  const length = leap === 'far' ? FAR : BLOCK;
  const edge = (head / length + 1n) * length - 2n;
  return edge > head ? edge : head;
}

/** Archives a tenant's ledger up to its head or less, in segments of some entries; the ledger may have holes. Returns the end. */
async function archive(
  { pool, root }: World,
  tenant: string,
  sizes: readonly number[],
  share: number,
): Promise<bigint> {
  const { rows } = await pool.query<{ ix: string }>('SELECT ix FROM entry WHERE tenant = $1 ORDER BY ix', [tenant]);
  const indexes = rows.map(({ ix }) => BigInt(ix));
  const head = await pool.query<{ end_ix: string }>('SELECT end_ix FROM archive_head WHERE tenant = $1', [tenant]);
  let first = BigInt(head.rows[0]?.end_ix ?? 0);
  const archived = indexes.slice(0, Math.ceil(indexes.length * share)).filter((ix) => ix >= first);
  for (let at = 0, nth = 0; at < archived.length; at += sizes[nth % sizes.length]!, nth += 1) {
    const end = archived[Math.min(at + sizes[nth % sizes.length]!, archived.length) - 1]! + 1n;
    if (end <= first) continue;
    const range = { tenant, first, end, day: '2026-09-22' };
    await onConnection(pool, (client) => writeSegment({ client, root, range }));
    first = end;
  }
  return first;
}

async function leaveBefore(pool: Pool, archived: { tenant: string; end: bigint }[], before: number): Promise<number> {
  let gone = 0;
  for (let step = 3; step === 3; gone += step) {
    const client = await pool.connect();
    step = await deleteCold(client, { table: 'access', before, archived, most: 3 });
    client.release();
  }
  return gone;
}

const tell = async (question: Promise<unknown>): Promise<unknown> => {
  try {
    return await question;
  } catch (error) {
    if ((error as { code?: string }).code === 'not-found') return 'not-found';
    throw error;
  }
};

/** Parts of answers that read through a snapshot: pairs of the open block, and the attributions of an export (its ledger must have no holes). */
async function parts({ pool, cold }: World, index: bigint): Promise<unknown> {
  const ask = createAsk({ pool, now: () => NOW, cold });
  return ask(
    ACME,
    async (snapshot) => ({
      pairs: sorted(await readOpenEdges(snapshot, index >> 16n, {})),
      attributions: sorted([...(await readAttributions(snapshot, 0n, index))]),
    }),
    { index },
  );
}
const sorted = (rows: readonly unknown[]): readonly string[] =>
  rows
    .map((row) => JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)))
    .sort();

const FILTERS: readonly Readonly<Record<string, string>>[] = [
  {},
  { user_iss: IDP, user_tenant: 'acme', user_sub: 'alice' },
  { resource: CRM },
];
/** Questions that `AS_OF_QUESTIONS` does not ask: by other ways, and of another tenant. */
const OTHERS: readonly { readonly name: string; ask(world: World, asOf: bigint): Promise<unknown> }[] = [
  {
    name: 'access behind an index',
    ask: ({ questions }, asOf) => questions.access(ACME, { after_index: '0', as_of: String(asOf), limit: '1000' }),
  },
  {
    name: 'access behind an index, of a resource',
    ask: ({ questions }, asOf) =>
      questions.access(ACME, { after_index: String(asOf / 2n), resource: CRM, as_of: String(asOf), limit: '2' }),
  },
  {
    name: 'access by operation alone',
    ask: ({ questions }, asOf) => questions.access(ACME, { operation: 'write', as_of: String(asOf) }),
  },
  {
    name: 'counts by outcome alone',
    ask: ({ questions }, asOf) => questions.accessCounts(ACME, { outcome: 'denied', as_of: String(asOf) }),
  },
  {
    name: 'explore',
    async ask({ explore }, asOf) {
      const { read: _, ...answer } = await explore.explore(
        { tenant: ACME, id: 'acme-audit' },
        {
          by: ['user', 'resource', 'operation'],
          measures: ['calls', 'records'],
          from: T,
          to: NOW,
          as_of: String(asOf),
        },
      );
      return answer;
    },
  },
  ...FILTERS.map((filters) => ({
    name: `access of another tenant ${new URLSearchParams(filters)}`,
    ask: ({ questions }: World, asOf: bigint) =>
      asOf > 1_000n ? questions.access(GLOBEX, { ...filters, limit: '1000' }) : Promise.resolve('asked once'),
  })),
];

const QUESTIONS: typeof OTHERS = [
  ...AS_OF_QUESTIONS.filter(({ name }) => name !== 'uses by client and resource'),
  ...OTHERS,
  { name: 'parts', ask: parts },
];

/** A use that closes the blocks which the leap before it has left. */
const probe = (nth: number): readonly Said[] => [
  say('crm', 'access.allowed', T + nth, {
    token: { iss: 'https://auth.crm.example', jti: 'probe' },
    operation: 'read',
    route: '/a',
  }),
];

it('an answer does not depend on whether uses have left the database, before and after further events', async () => {
  const seen = { left: 0, leftLater: 0, stayed: 0, ofOther: 0, boundLater: 0 };
  await fc.assert(
    fc.asyncProperty(
      histories,
      fc.record({
        cut: fc.double({ min: 0.3, max: 0.9, noNaN: true }),
        sizes: fc.array(fc.integer({ min: 5, max: 20 }), { minLength: 3, maxLength: 3 }),
        share: fc.constantFrom(0.7, 1, 1),
        before: fc.integer({ min: T + 20_000, max: T + 110_000 }),
        moments: fc.array(fc.nat(1_000), { minLength: MOMENTS, maxLength: MOMENTS }),
      }),
      async (history: readonly SaidBatch[], { cut, sizes, share, before, moments }) => {
        const [left, whole] = await Promise.all([createWorld(), createWorld()]);
        try {
          const first = Math.ceil(history.length * cut);
          let probes = 0;
          const tellBoth = async (batches: readonly SaidBatch[]): Promise<void> => {
            for (const { said, leap } of batches) for (const world of [left, whole]) await world.write(said, leap);
            // Uses leave once the blocks that they lie in are closed.
            for (const world of [left, whole]) await world.write([], 'to-the-edge');
            probes += 1;
            for (const world of [left, whole]) await world.write(probe(probes), 'none');
          };
          const leave = async (): Promise<number> => {
            const archived = [];
            for (const tenant of [ACME, GLOBEX])
              archived.push({ tenant, end: await archive(left, tenant, sizes, share) });
            return leaveBefore(left.pool, archived, before);
          };
          await tellBoth(history.slice(0, first));
          seen.left += await leave();
          await tellBoth(history.slice(first));
          const waited = await left.pool.query(
            'SELECT count(*)::int AS n FROM access WHERE at < $1 AND bound_ix > ix',
            [before],
          );
          seen.boundLater += waited.rows[0].n;
          const { rows } = await whole.pool.query('SELECT ix FROM entry WHERE tenant = $1 ORDER BY ix', [ACME]);
          const indexes = moments.map((one) => BigInt(rows[one % rows.length].ix) + 1n);
          await compare(left, whole, [...new Set([...indexes, whole.head()])]);
          seen.leftLater += await leave();
          const counts = await left.pool.query(
            `SELECT (SELECT count(*) FROM access WHERE at < $1)::int AS stayed, (SELECT count(*) FROM access_cold WHERE tenant = $2)::int AS other`,
            [before, GLOBEX],
          );
          seen.stayed += counts.rows[0].stayed;
          seen.ofOther += counts.rows[0].other;
          await compare(left, whole, indexes.slice(0, 1));
        } finally {
          await left.stop();
          await whole.stop();
        }
      },
    ),
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  );
  for (const [what, count] of Object.entries(seen)) expect([what, count > 0]).toEqual([what, true]);
}, 900_000);

/** Asks both, all questions, as of each of the indexes. */
async function compare(left: World, whole: World, indexes: readonly bigint[]): Promise<void> {
  for (const asOf of indexes) {
    for (const { name, ask } of QUESTIONS) {
      const [answer, expected] = await Promise.all([tell(ask(left, asOf)), tell(ask(whole, asOf))]);
      expect({ name, asOf, answer }).toEqual({ name, asOf, answer: expected });
    }
  }
}
