import { archiveNext, leaveDue } from '../../src/archive/index.js';
import { startRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { onConnection } from '../../src/platform/postgres/index.js';
import { makePartitions } from '../../src/projections/index.js';
import { produce, rateOf } from './ingest-kafka.js';
import { median, quantile, type Row } from './report.js';
import { createWorld, nextIndex, type World } from './world.js';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const EVENTS_A_ROUND = Number(process.env['BENCH_EVENTS'] ?? 100_000);
/** Without the plain table there is no row of ingest. */
const WITH_PLAIN = process.env['BENCH_PLAIN'] !== 'off';
const PARTITIONS = 10;
const DAY_S = 86_400;
const QUESTIONS = 10;
const WITHOUT_ARCHIVE = 'ingest,serve,feed,log';

/**
 * Measures what `HOT_DAYS` costs and gains: ingest into ten partitions beside one table, in turn; bytes of an event in PostgreSQL before and after its use
 * has left; and an answer about uses that have.
 */
export async function run(): Promise<readonly Row[]> {
  const parted = await createWorld();
  const plain = WITH_PLAIN ? await createWorld() : undefined;
  try {
    const nowS = Math.floor(Date.now() / 1_000);
    for (let day = PARTITIONS - 3; day >= 0; day -= 1)
      await onConnection(parted.pool, (client) =>
        makePartitions(client, { widthS: DAY_S, nowS: nowS - day * DAY_S - DAY_S / 2 }),
      );
    const rates = { parted: [] as number[], plain: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      if (plain) rates.plain.push(await ingest(plain, round));
      rates.parted.push(await ingest(parted, round));
    }
    const [value, floor] = [median(rates.parted), median(rates.plain)];
    return [
      ...(plain
        ? [
            {
              name: 'cold.ingest',
              value,
              unit: 'events/s',
              floor,
              ratio: value / floor,
              note: `ingest.kafka into ${PARTITIONS} partitions; floor: into one table; ${ROUNDS} rounds of ${EVENTS_A_ROUND} events each, in turn`,
            },
          ]
        : []),
      ...(await leaving(parted, nowS)),
    ];
  } finally {
    await plain?.stop();
    await parted.stop();
  }
}

async function ingest(world: World, round: number): Promise<number> {
  await produce(world, round * EVENTS_A_ROUND, EVENTS_A_ROUND);
  const before = await nextIndex(world.pool);
  const service = await startRescind(readConfig({ ...world.env, ROLES: WITHOUT_ARCHIVE }), { log: world.log });
  const rate = await rateOf(world, before, EVENTS_A_ROUND);
  await service.stop();
  return rate;
}

interface Sizes {
  readonly uses: number;
  /** Rows and indexes of uses. */
  readonly access: number;
  readonly database: number;
}

async function readSizes({ pool }: World): Promise<Sizes> {
  await pool.query('VACUUM ANALYZE access');
  const { rows } = await pool.query<Record<keyof Sizes, string>>(`
    SELECT (SELECT count(*) FROM access) AS uses, pg_database_size(current_database()) AS database,
           (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('access')) AS access`);
  const { uses, access, database } = rows[0]!;
  return { uses: Number(uses), access: Number(access), database: Number(database) };
}

async function leaving(world: World, nowS: number): Promise<readonly Row[]> {
  const { pool, log } = world;
  const root = readConfig(world.env).archiveDir;
  while ((await archiveNext({ pool, root })) !== undefined);
  const entries = await nextIndex(pool);
  const before = await readSizes(world);
  const startedAt = performance.now();
  const left = await leaveDue({ pool, root, log, hotDays: 1, nowS: nowS + 4 * DAY_S });
  const tookMs = performance.now() - startedAt;
  if (left === undefined) throw new Error('nothing was archived: one range has 65,536 entries');
  const after = await readSizes(world);
  const { rows } = await pool.query<{ bytes: string }>('SELECT sum(bytes) AS bytes FROM archive_file');
  const archived = Number(rows[0]!.bytes);
  const gone = before.uses - after.uses;
  const note = `${entries} events, of which ${before.uses} uses; ${after.uses} stay, ${left.partitions} partitions were dropped in ${Math.round(tookMs)} ms`;
  const [hot, cold] = [
    before.access / before.uses,
    (before.access / before.uses) * (after.uses / before.uses) + archived / before.uses,
  ];
  return [
    {
      name: 'cold.bytes.use',
      value: (after.access + archived) / before.uses,
      unit: 'bytes/use',
      floor: hot,
      ratio: (after.access + archived) / before.access,
      note: `rows of access with their indexes, and all files of the archive (${Math.round(archived / before.uses)} bytes a use); floor: before they left; ${note}`,
    },
    {
      name: 'cold.bytes.left',
      value: archived / gone,
      unit: 'bytes/use',
      floor: hot,
      ratio: archived / gone / hot,
      note: `a use that has left (${gone}); floor: before; of all uses by shares: ${Math.round(cold)} bytes`,
    },
    {
      name: 'cold.bytes.event',
      value: (after.database + archived) / entries,
      unit: 'bytes/event',
      floor: before.database / entries,
      ratio: (after.database + archived) / before.database,
      note: 'the whole database, with ledger, tokens and sums, and the archive; floor: the database before uses left',
    },
    ...(await asking(world, entries)),
  ];
}

/** Asks for a page of uses that have left, and for the graph within their block. */
async function asking(world: World, entries: number): Promise<readonly Row[]> {
  const service = await startRescind(readConfig({ ...world.env, ROLES: WITHOUT_ARCHIVE }), { log: world.log });
  try {
    const headers = { authorization: `Bearer ${service.adminKey}` };
    const asOf = Math.floor(entries / 2);
    const rows: Row[] = [];
    for (const path of [`/v1/access?limit=50&as_of=${asOf}`, `/v1/graph?as_of=${asOf}`]) {
      const took: number[] = [];
      for (let nth = 0; nth < QUESTIONS; nth += 1) {
        const startedAt = performance.now();
        const response = await fetch(`${service.url}${path}`, { headers });
        const body = await response.text();
        if (response.status !== 200) throw new Error(`${path}: ${response.status} ${body}`);
        took.push(performance.now() - startedAt);
      }
      rows.push({
        name: 'cold.question',
        value: quantile(took, 0.95),
        p50: median(took),
        unit: 'ms',
        note: `p95 of ${QUESTIONS}: ${path.replace(/as_of=\d+/, 'as_of=<the middle of the ledger>')}`,
      });
    }
    return rows;
  } finally {
    await service.stop();
  }
}
