import { fork } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BIGINT, DuckDBInstance, INTEGER, LIST, listValue, VARCHAR, type DuckDBConnection } from '@duckdb/node-api';
import { pathOf, SEGMENT_ENTRIES, tenantDirectory, type ArchivedFile } from '../../src/archive/index.js';
import { createExplore } from '../../src/explore/index.js';
import { composeExplore, type EngineValue, type Statement } from '../../src/explore/question/compose.js';
import { readExploreQuestion } from '../../src/explore/question/read-question.js';
import { startRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { createClient } from '../../src/platform/kafka/client.kafka.js';
import { createLog } from '../../src/platform/log/index.js';
import type { Pool } from '../../src/platform/postgres/index.js';
import { ENTITY_KINDS } from '../../src/projections/index.js';
import { createTurns } from '../../src/registry/index.js';
import { produce } from './ingest-kafka.js';
import { heard } from './introspection-load.js';
import { quantile, type Row } from './report.js';
import { atRate } from './revocation-latency.js';
import { createWorld, nextIndex, type World } from './world.js';

const USES = Number(process.env['BENCH_USES'] ?? 1_000_000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const DAYS = 90;
const DAY_S = 86_400;
const NOW = 1_796_000_000;
const START = NOW - DAYS * DAY_S;
const TENANT = '0aaaaaaa-0000-4000-8000-000000000000';
const THREADS = '2';
/** Events that come in a second beside the questions of half of the rows. */
const EVENTS_PER_SECOND = Number(process.env['BENCH_RATE'] ?? 1_000);
const EVENTS_A_STEP = 250;

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

/**
 * `explore` over the archive of one tenant, beside the same SQL in a bare DuckDB over the same files; while nothing else happens, and while a
 * service in a process of its own takes in events of another tenant from Kafka into the same PostgreSQL.
 */
export async function run(): Promise<readonly Row[]> {
  const home = await mkdtemp(join(tmpdir(), 'rescind-bench-'));
  const world = await createWorld();
  const bare = await DuckDBInstance.create(':memory:', { threads: THREADS });
  const connection = await bare.connect();
  const root = join(home, 'archive');
  const files = await writeArchive(root, connection);
  await writeNames(world.pool, files);
  await connection.run('SET parquet_metadata_cache = true');
  await connection.run(
    'CREATE TABLE tail_uses (ix BIGINT, first_at BIGINT, last_at BIGINT, bound_ix BIGINT, usr INTEGER, client INTEGER, agent INTEGER, agent_ix BIGINT, res INTEGER, res_bound BOOLEAN, scopes INTEGER[], op SMALLINT, outcome SMALLINT, status INTEGER, route INTEGER, addr INTEGER, source VARCHAR, tok BLOB, n BIGINT, records BIGINT, bytes BIGINT)',
  );
  await connection.run(
    'CREATE TABLE tail_late (ix BIGINT, bound_ix BIGINT, usr INTEGER, client INTEGER, agent INTEGER, agent_ix BIGINT, res INTEGER, res_bound BOOLEAN)',
  );
  const explore = createExplore({
    pool: world.pool,
    log: world.log,
    turns: createTurns({ atOnce: 3 }),
    sources: { find: () => undefined, all: () => [] },
    nameOfSource: () => null,
    archiveRoot: root,
    home,
    now: () => NOW,
  });
  const compare: Compare = async (window) => {
    const body = { ...window.question, from: NOW - window.days * DAY_S, to: NOW };
    const statement = statementOf(root, files, body);
    return {
      own: () => timed(() => explore.explore({ tenant: TENANT, id: 'bench' }, body)),
      floor: () => timed(() => runBare(connection, statement)),
    };
  };
  try {
    const quiet = await askAll(compare, files.length, 'quiet');
    const ingest = await startIngest(world);
    const beside = await askAll(compare, files.length, 'beside ingest');
    const rate = Math.round(await ingest.stop());
    return [...quiet, ...beside.map((row) => ({ ...row, note: `${rate} events/s came in beside; ${row.note}` }))];
  } finally {
    await explore.stop();
    connection.closeSync();
    await world.stop();
    await rm(home, { recursive: true });
  }
}

/** Prepares one question of a window. Each call of `own` and `floor` returns the milliseconds that it took. */
type Compare = (asked: { readonly question: object; readonly days: number }) => Promise<{
  own(): Promise<number>;
  floor(): Promise<number>;
}>;

async function askAll(compare: Compare, files: number, when: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const [window, days] of Object.entries(WINDOWS)) {
    const took: number[] = [];
    const floors: number[] = [];
    const each: string[] = [];
    for (const [name, question] of Object.entries(QUESTIONS)) {
      const { own, floor } = await compare({ question, days });
      const owns: number[] = [];
      const alone: number[] = [];
      // The first round fills the caches of both.
      for (let round = 0; round <= ROUNDS; round += 1) {
        const asked = await own();
        const bare = await floor();
        if (round === 0) continue;
        owns.push(asked);
        alone.push(bare);
      }
      took.push(...owns);
      floors.push(...alone);
      each.push(`${name} ${Math.round(quantile(owns, 0.5))} (${Math.round(quantile(alone, 0.5))})`);
    }
    rows.push({
      name: `explore ${window}, ${when}`,
      value: quantile(took, 0.95),
      unit: 'ms p95',
      floor: quantile(floors, 0.95),
      ratio: quantile(floors, 0.5) / quantile(took, 0.5),
      p50: quantile(took, 0.5),
      note: `${USES.toLocaleString('en')} uses of ${DAYS} days in ${files} files; ${took.length} questions; floor: the same SQL in a bare DuckDB; medians in ms: ${each.join(', ')}`,
    });
  }
  return rows;
}

/** Starts a service that takes in events at a steady rate. `stop` returns how many came in a second. */
async function startIngest(world: World): Promise<{ stop(): Promise<number> }> {
  const child = fork(fileURLToPath(import.meta.url), ['ingest', JSON.stringify(world.env)]);
  await heard(child);
  const [before, beganAt] = [await nextIndex(world.pool), performance.now()];
  return {
    async stop() {
      const rate = ((await nextIndex(world.pool)) - before) / ((performance.now() - beganAt) / 1_000);
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.send('end');
      await ended;
      return rate;
    },
  };
}

/** Runs in a process of its own: the service, and the producer whose events it takes in. */
async function ingestAtRate(env: Readonly<Record<string, string>>): Promise<void> {
  const log = createLog({ level: process.env['BENCH_LOG_LEVEL'] ?? 'error' });
  const service = await startRescind(readConfig(env), { log });
  const kafka = createClient({ brokers: env['KAFKA_BROKERS']!.split(','), clientId: 'bench', log });
  let sent = 0;
  let ending = false;
  process.on('message', () => (ending = true));
  process.send!({});
  await atRate(
    EVENTS_PER_SECOND,
    () => !ending,
    async (goal) => {
      for (; sent + EVENTS_A_STEP <= goal; sent += EVENTS_A_STEP) await produce({ kafka }, sent, EVENTS_A_STEP);
      return sent;
    },
  );
  await service.stop();
  process.exit(0);
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
        whole: read.map((file) => join(tenantDirectory(root, TENANT), pathOf(file))),
        cut: [],
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

const [role, env] = process.argv.slice(2);
if (role === 'ingest' && process.send) await ingestAtRate(JSON.parse(env!) as Record<string, string>);
