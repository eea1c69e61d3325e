import { setTimeout as delay } from 'node:timers/promises';
import { startRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { produce, rateOf } from './ingest-kafka.js';
import { median, quantile, type Row } from './report.js';
import { createWorld, nextIndex, type World } from './world.js';

/** Rounds with the archive and as many without it, in turn. */
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
/** Each round closes a range of 65,536 entries. */
const EVENTS_A_ROUND = Number(process.env['BENCH_EVENTS'] ?? 70_000);
const POLL_MS = 20;
const RANGE = 65_536;

const WITHOUT = 'ingest,serve,feed,log';

/**
 * From a Kafka topic to durable, with and without the role `archive` in the same process; how long after a range has closed its segment is
 * written; and the bytes of an event in PostgreSQL beside those in the archive.
 */
export async function run(): Promise<readonly Row[]> {
  const world = await createWorld();
  try {
    const rates = { with: [] as number[], without: [] as number[] };
    const lags: number[] = [];
    for (let round = 0; round < 2 * ROUNDS; round += 1) {
      const side = round % 2 === 0 ? 'without' : 'with';
      await produce(world, round * EVENTS_A_ROUND, EVENTS_A_ROUND);
      rates[side].push(await ingest(world, side === 'with', lags));
    }
    const [value, floor] = [median(rates.with), median(rates.without)];
    const note = `${ROUNDS} rounds of ${EVENTS_A_ROUND} events each, in turn`;
    return [
      {
        name: 'archive.ingest',
        value,
        unit: 'events/s',
        floor,
        ratio: value / floor,
        note: `ingest.kafka with the role archive, which writes what both rounds brought; floor: without it; ${note}`,
      },
      {
        name: 'archive.lag',
        value: Math.max(...lags) / 1_000,
        unit: 's',
        p50: quantile(lags, 0.5) / 1_000,
        note: `the longest time from the last entry of a range to its segment, while ingest runs as fast as it can; ${lags.length} segments`,
      },
      ...(await bytesAnEvent(world)),
    ];
  } finally {
    await world.stop();
  }
}

async function ingest(world: World, archives: boolean, lags: number[]): Promise<number> {
  const before = await nextIndex(world.pool);
  const target = before + EVENTS_A_ROUND;
  const config = readConfig({ ...world.env, ...(archives ? {} : { ROLES: WITHOUT }) });
  const service = await startRescind(config, { log: world.log });
  let archived = await archiveEnd(world);
  const look = async (): Promise<void> => {
    const end = await archiveEnd(world);
    // Only ranges that closed in this round: those before it waited for a process that archives.
    if (end > archived && end > before) lags.push(Date.now() - (await arrivalOf(world, end - 1)));
    archived = end;
  };
  const rate = await rateOf(world, before, EVENTS_A_ROUND, archives ? look : undefined);
  if (archives) for (await look(); archived < Math.floor(target / RANGE) * RANGE; await look()) await delay(POLL_MS);
  await service.stop();
  return rate;
}

async function archiveEnd({ pool }: World): Promise<number> {
  const { rows } = await pool.query<{ n: string }>('SELECT coalesce(sum(end_ix), 0) AS n FROM archive_head');
  return Number(rows[0]!.n);
}

async function arrivalOf({ pool }: World, ix: number): Promise<number> {
  const { rows } = await pool.query<{ arrival: string }>('SELECT arrival FROM entry WHERE ix = $1', [ix]);
  return Number(rows[0]!.arrival);
}

/** Compares what the uses take in PostgreSQL, with their indexes, with what they take in the archive. */
async function bytesAnEvent({ pool }: World): Promise<readonly Row[]> {
  await pool.query('VACUUM ANALYZE access');
  const { rows } = await pool.query<{ uses: string; table_bytes: string; all_bytes: string }>(`
    SELECT (SELECT count(*) FROM access) AS uses, pg_relation_size('access') AS table_bytes, pg_total_relation_size('access') AS all_bytes`);
  const [{ uses, table_bytes: tableBytes, all_bytes: allBytes }] = rows as [(typeof rows)[number]];
  const { rows: archived } = await pool.query<{ name: string; row_n: string; bytes: string }>(
    'SELECT name, sum(row_n) AS row_n, sum(bytes) AS bytes FROM archive_file GROUP BY name',
  );
  const { rows: indexes } = await pool.query<{ name: string; bytes: string }>(
    `SELECT indexrelid::regclass::text AS name, pg_relation_size(indexrelid) AS bytes FROM pg_index WHERE indrelid = 'access'::regclass ORDER BY 2 DESC`,
  );
  const of = (name: string): number => Number(archived.find((one) => one.name === name)?.row_n ?? 0);
  const total = archived.reduce((sum, { bytes }) => sum + Number(bytes), 0);
  const value = total / of('uses');
  const floor = Number(allBytes) / Number(uses);
  return [
    {
      name: 'archive.bytes',
      value,
      unit: 'bytes/use',
      floor,
      ratio: value / floor,
      note: `all files of the archive, ${of('uses')} uses; floor: rows of access with their indexes (${Math.round(Number(tableBytes) / Number(uses))} bytes without)`,
    },
    ...indexes.map(({ name, bytes }) => ({
      name: 'archive.index',
      value: Number(bytes) / Number(uses),
      unit: 'bytes/use',
      note: name,
    })),
  ];
}
