import { setTimeout as delay } from 'node:timers/promises';
import { startRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { findingsLatency } from './findings-latency.js';
import { produce, rateOf } from './ingest-kafka.js';
import { median, type Row } from './report.js';
import { createWorld, nextIndex, readTo, type World } from './world.js';

/** Rounds with the detections and as many without them, in turn. */
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const EVENTS_A_ROUND = Number(process.env['BENCH_EVENTS'] ?? 20_000);
const POLL_MS = 10;

const WITH = 'ingest,serve,feed,log';
const WITHOUT = 'ingest,serve,log';
const DETECTIONS_ALONE = 'serve,feed,log';

/**
 * From a Kafka topic to durable, with and without the detections in the same process; how long they need to catch up with a round; and how long after an event its
 * finding is there.
 */
export async function run(): Promise<readonly Row[]> {
  const world = await createWorld();
  try {
    const rates = { with: [] as number[], without: [] as number[] };
    const behind: number[] = [];
    for (let round = 0; round < 2 * ROUNDS; round += 1) {
      const side = round % 2 === 0 ? 'with' : 'without';
      await produce(world, round * EVENTS_A_ROUND, EVENTS_A_ROUND);
      rates[side].push(await ingest(world, side === 'with', behind));
      if (side === 'without') await catchUp(world);
    }
    const [value, floor] = [median(rates.with), median(rates.without)];
    const latency = await findingsLatency(
      world,
      { ...world.env, ROLES: WITH, FINDINGS_LEARN_DAYS: '0' },
      2 * ROUNDS * EVENTS_A_ROUND,
    );
    const note = `${ROUNDS} rounds of ${EVENTS_A_ROUND} events each, in turn`;
    return [
      latency,
      await past(world),
      {
        name: 'findings.ingest',
        value,
        unit: 'events/s',
        floor,
        ratio: value / floor,
        note: `ingest.kafka with the role feed, whose detections follow; floor: without it; ${note}`,
      },
      {
        name: 'findings.behind',
        value: Math.max(...behind) / 1_000,
        unit: 's',
        p50: median(behind) / 1_000,
        note: 'from the last entry of a round to the detections having read it, the longest; they look once a second',
      },
    ];
  } finally {
    await world.stop();
  }
}

async function ingest(world: World, follows: boolean, behind: number[]): Promise<number> {
  const before = await nextIndex(world.pool);
  const service = await startRescind(readConfig({ ...world.env, ROLES: follows ? WITH : WITHOUT }), { log: world.log });
  const rate = await rateOf(world, before, EVENTS_A_ROUND);
  const endedAt = performance.now();
  if (follows) {
    while ((await readTo(world.pool)) < before + EVENTS_A_ROUND) await delay(POLL_MS);
    behind.push(performance.now() - endedAt);
  }
  await service.stop();
  return rate;
}

/** Lets the detections read a round that they did not follow, so that they read no other's entries during the next one. */
async function catchUp(world: World): Promise<void> {
  const service = await startRescind(readConfig({ ...world.env, ROLES: DETECTIONS_ALONE }), { log: world.log });
  while ((await readTo(world.pool)) < (await nextIndex(world.pool))) await delay(POLL_MS);
  await service.stop();
}

/** Measures what is kept of the past of findings, after all rounds and planted exports. */
async function past({ pool }: World): Promise<Row> {
  const { rows } = await pool.query<{ bytes: string; rows: string; findings: string }>(
    `SELECT pg_total_relation_size('finding_past') AS bytes, count(*) AS rows, count(DISTINCT finding) AS findings FROM finding_past`,
  );
  const { bytes, rows: kept, findings } = rows[0]!;
  return {
    name: 'findings.past',
    value: Number(bytes),
    unit: 'bytes',
    note: `\`finding_past\` with its indexes after findings.latency: ${kept} rows of ${findings} findings`,
  };
}
