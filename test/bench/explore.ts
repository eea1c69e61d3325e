import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BIGINT, DuckDBInstance, INTEGER, LIST, listValue, VARCHAR, type DuckDBConnection } from '@duckdb/node-api';
import { pathOf, SEGMENT_ENTRIES, tenantDirectory, type ArchivedFile } from '../../src/archive/index.js';
import { createExplore } from '../../src/explore/index.js';
import { composeExplore, type EngineValue, type Statement } from '../../src/explore/question/compose.js';
import { readExploreQuestion } from '../../src/explore/question/read-question.js';
import { MIGRATIONS } from '../../src/migrations.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/index.js';
import { createLog } from '../../src/platform/log/index.js';
import { createPool, runMigrations, type Pool } from '../../src/platform/postgres/index.js';
import { ENTITY_KINDS } from '../../src/projections/index.js';
import { createTurns } from '../../src/registry/index.js';
import { quantile, type Row } from './report.js';

const USES = Number(process.env['BENCH_USES'] ?? 1_000_000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const DAYS = 90;
const DAY_S = 86_400;
const NOW = 1_796_000_000;
const START = NOW - DAYS * DAY_S;
const TENANT = '0aaaaaaa-0000-4000-8000-000000000000';
const THREADS = '2';

/** Ids of the names: users first, then clients, and so on. */
const SIZES = { user: 5_000, client: 60, agent: 20, resource: 40, route: 400, address: 4_000 } as const;
type Kind = keyof typeof SIZES;
const FIRST = Object.fromEntries(
  Object.keys(SIZES).map((kind, nth, kinds) => [
    kind,
    1 + kinds.slice(0, nth).reduce((sum, one) => sum + SIZES[one as Kind], 0),
  ]),
) as Readonly<Record<Kind, number>>;

/** A name of a kind, from a number: few names have most uses. `salt` makes columns independent of each other. */
const pick = (kind: Kind, salt: number): string =>
  `(${FIRST[kind]} + floor(${SIZES[kind]} * pow((hash(i, ${salt}) % 1000000) / 1000000.0, 2)))::INTEGER`;
const chance = (salt: number): string => `((hash(i, ${salt}) % 1000) / 1000.0)`;

/**
 * Uses spread evenly over ninety days. 5,000 users, 60 clients, 40 resources, 4,000 addresses, each chosen by the square of a random number;
 * 70 % reads, 22 % writes, 3 % deletions, 4 % exports; 2 % denied; a third by an agent; a token for each user and day.
 */
const usesOf = (first: number, end: number): string => `
  SELECT i AS ix, ${START} + (i * ${DAYS * DAY_S}) // ${USES} AS first_at, first_at AS last_at, i AS bound_ix, ${pick('user', 1)} AS usr,
         ${pick('client', 2)} AS client, CASE WHEN ${chance(3)} < 0.33 THEN ${pick('agent', 4)} END AS agent, NULL::BIGINT AS agent_ix,
         ${pick('resource', 5)} AS res, NULL::BOOLEAN AS res_bound, NULL::BIGINT AS foreign_ix, NULL::INTEGER[] AS scopes,
         (CASE WHEN ${chance(6)} < 0.70 THEN 1 WHEN ${chance(6)} < 0.92 THEN 2 WHEN ${chance(6)} < 0.95 THEN 3 WHEN ${chance(6)} < 0.99 THEN 4 ELSE 5 END)::SMALLINT AS op,
         (CASE WHEN ${chance(7)} < 0.98 THEN 1 ELSE 2 END)::SMALLINT AS outcome, (CASE WHEN ${chance(7)} < 0.98 THEN 200 ELSE 403 END)::INTEGER AS status,
         ${pick('route', 8)} AS route, ${pick('address', 9)} AS addr, '10000000-0000-4000-8000-00000000000' || (res % 8) AS source,
         unhex(md5(usr || '-' || (first_at // 86400))) AS tok, 1::BIGINT AS n, (hash(i, 10) % 50)::BIGINT AS records, (hash(i, 11) % 100000)::BIGINT AS bytes
  FROM range(${first}, ${end}) r (i)
  ORDER BY res NULLS LAST, first_at, ix`;

async function writeArchive(root: string, connection: DuckDBConnection): Promise<ArchivedFile[]> {
  const files: ArchivedFile[] = [];
  const step = Number(SEGMENT_ENTRIES);
  const timeOf = (ix: number): number => START + Math.floor((ix * DAYS * DAY_S) / USES);
  for (let first = 0; first < USES; first += step) {
    const end = Math.min(USES, first + step);
    const day = new Date(timeOf(end - 1) * 1_000).toISOString().slice(0, 10);
    const file: ArchivedFile = {
      name: 'uses',
      first: BigInt(first),
      end: BigInt(end),
      day,
      rows: end - first,
      bytes: 0,
      sha256: '0'.repeat(64),
      firstAt: timeOf(first),
      lastAt: timeOf(end - 1),
    };
    const path = join(tenantDirectory(root, TENANT), pathOf(file));
    await mkdir(dirname(path), { recursive: true });
    await connection.run(
      `COPY (${usesOf(first, end)}) TO '${path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 8192)`,
    );
    files.push(file);
  }
  return files;
}

async function writeNames(pool: Pool, files: readonly ArchivedFile[]): Promise<void> {
  await pool.query('INSERT INTO ledger_head (tenant, next_ix) VALUES ($1, $2)', [TENANT, USES]);
  await pool.query('INSERT INTO archive_head (tenant, end_ix) VALUES ($1, $2)', [TENANT, USES]);
  for (const { first, end, day, rows, firstAt, lastAt } of files)
    await pool.query(
      `INSERT INTO archive_file (tenant, name, first_ix, end_ix, day, row_n, bytes, sha256, first_at, last_at)
       VALUES ($1, 'uses', $2, $3, $4, $5, 0, decode(repeat('00', 32), 'hex'), $6, $7)`,
      [TENANT, first, end, day, rows, firstAt, lastAt],
    );
  for (const [kind, size] of Object.entries(SIZES))
    await pool.query(
      `INSERT INTO entity (tenant, id, kind, key, parts, from_ix)
       SELECT $1, id, $2, decode(lpad(to_hex(id), 32, '0'), 'hex'), CASE WHEN $3 IN ('user', 'client', 'agent')
              THEN jsonb_build_array('https://idp.example', ${kind === 'user' ? "'acme', " : ''}$3 || '-' || id) ELSE jsonb_build_array($3 || '-' || id) END, 0
       FROM generate_series($4::int, $5::int) id`,
      [TENANT, ENTITY_KINDS[kind as Kind], kind, FIRST[kind as Kind], FIRST[kind as Kind] + size - 1],
    );
  await pool.query('ANALYZE');
}

const QUESTIONS: Readonly<Record<string, object>> = {
  exporters: {
    by: ['user', 'resource'],
    measures: ['calls', 'records'],
    filter: { operation: { equals: 'export' } },
    limit: 10,
  },
  addresses: { by: ['address'], measures: ['calls', 'users'], limit: 10 },
  hours: { by: ['hour'], measures: ['calls', 'denied'], limit: 1_000 },
  pairs: { by: ['client', 'resource'], measures: ['calls', 'denied', 'records', 'bytes'], limit: 20 },
  one_user: {
    by: ['resource', 'operation'],
    measures: ['calls', 'last_use'],
    filter: { user: { equals: FIRST.user + 9 } },
  },
};
const WINDOWS = { week: 7, 'ninety days': DAYS } as const;

/** `explore` over the archive of one tenant, beside the same SQL in a bare DuckDB over the same files. */
export async function run(): Promise<readonly Row[]> {
  const home = await mkdtemp(join(tmpdir(), 'rescind-bench-'));
  const log = createLog({ level: process.env['BENCH_LOG_LEVEL'] ?? 'error' });
  const postgres = await startEmbeddedPostgres({ directory: join(home, 'postgres'), log });
  await runMigrations({ url: postgres.url, migrations: MIGRATIONS });
  const pool = createPool({ url: postgres.url, max: 4, applicationName: 'bench' });
  const bare = await DuckDBInstance.create(':memory:', { threads: THREADS });
  const connection = await bare.connect();
  const root = join(home, 'archive');
  const files = await writeArchive(root, connection);
  await writeNames(pool, files);
  await connection.run('SET parquet_metadata_cache = true');
  await connection.run(
    'CREATE TABLE tail_uses (ix BIGINT, first_at BIGINT, last_at BIGINT, bound_ix BIGINT, usr INTEGER, client INTEGER, agent INTEGER, agent_ix BIGINT, res INTEGER, res_bound BOOLEAN, scopes INTEGER[], op SMALLINT, outcome SMALLINT, status INTEGER, route INTEGER, addr INTEGER, source VARCHAR, tok BLOB, n BIGINT, records BIGINT, bytes BIGINT)',
  );
  await connection.run(
    'CREATE TABLE tail_late (ix BIGINT, bound_ix BIGINT, usr INTEGER, client INTEGER, agent INTEGER, agent_ix BIGINT, res INTEGER, res_bound BOOLEAN)',
  );
  const explore = createExplore({
    pool,
    log,
    turns: createTurns({ atOnce: 3 }),
    sources: { find: () => undefined, all: () => [] },
    nameOfSource: () => null,
    archiveRoot: root,
    home,
    now: () => NOW,
  });
  const rows: Row[] = [];
  try {
    for (const [window, days] of Object.entries(WINDOWS)) {
      const took: number[] = [];
      const floors: number[] = [];
      const each: string[] = [];
      for (const [name, question] of Object.entries(QUESTIONS)) {
        const body = { ...question, from: NOW - days * DAY_S, to: NOW };
        const statement = statementOf(root, files, body);
        const own: number[] = [];
        const floor: number[] = [];
        // The first round fills the caches of both.
        for (let round = 0; round <= ROUNDS; round += 1) {
          const asked = await timed(() => explore.explore({ tenant: TENANT, id: 'bench' }, body));
          const alone = await timed(() => runBare(connection, statement));
          if (round === 0) continue;
          own.push(asked);
          floor.push(alone);
        }
        took.push(...own);
        floors.push(...floor);
        each.push(`${name} ${Math.round(quantile(own, 0.5))} (${Math.round(quantile(floor, 0.5))})`);
      }
      rows.push({
        name: `explore ${window}`,
        value: quantile(took, 0.95),
        unit: 'ms p95',
        floor: quantile(floors, 0.95),
        ratio: quantile(floors, 0.5) / quantile(took, 0.5),
        p50: quantile(took, 0.5),
        note: `${USES.toLocaleString('en')} uses of ${DAYS} days in ${files.length} files; ${took.length} questions; floor: the same SQL in a bare DuckDB; medians in ms: ${each.join(', ')}`,
      });
    }
  } finally {
    await explore.stop();
    connection.closeSync();
    await pool.end();
    await postgres.stop();
    await rm(home, { recursive: true });
  }
  return rows;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** The statement that `explore` runs for the question, with the values that it finds for the names. */
function statementOf(
  root: string,
  files: readonly ArchivedFile[],
  body: { readonly from: number; readonly to: number },
): Statement {
  const question = readExploreQuestion(body);
  const read = files.filter(({ firstAt, lastAt }) => firstAt! < body.to && lastAt! >= body.from);
  return composeExplore(
    {
      index: BigInt(USES),
      at: NOW,
      window: body,
      conditions: question.conditions.map(({ dimension, equals }) => ({
        dimension,
        within: { ids: [typeof equals === 'number' ? equals : 4] },
      })),
      sources: {
        uses: read.map((file) => join(tenantDirectory(root, TENANT), pathOf(file))),
        late: [],
        end: BigInt(USES),
        lookups: {},
      },
    },
    question,
    undefined,
  );
}

async function runBare(connection: DuckDBConnection, { sql, values }: Statement): Promise<void> {
  const typed = values.map(bound);
  await connection.runAndReadAll(
    sql,
    typed.map(([value]) => value),
    typed.map(([, type]) => type),
  );
}

function bound({ type, value }: EngineValue) {
  switch (type) {
    case 'BIGINT':
      return [value, BIGINT] as const;
    case 'VARCHAR':
      return [value, VARCHAR] as const;
    case 'INTEGER[]':
      return [listValue(value), LIST(INTEGER)] as const;
    case 'BIGINT[]':
      return [listValue(value), LIST(BIGINT)] as const;
    case 'VARCHAR[]':
      return [listValue(value), LIST(VARCHAR)] as const;
  }
}
