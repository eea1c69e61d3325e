import { setTimeout as delay } from 'node:timers/promises';
import { toKafkaMessage } from '../../src/emit/index.js';
import { copyFloor } from './copy-floor.pg.js';
import { makeEvents } from './events.js';
import { median, type Row } from './report.js';
import { createWorld, nextIndex, type World } from './world.js';

const ROUNDS = 5;
const EVENTS_A_ROUND = Number(process.env['BENCH_EVENTS'] ?? 60_000);
const PRODUCE_BATCH = 2_000;
const FLOOR_BATCH = 2_000;
const POLL_MS = 10;

/**
 * From a Kafka topic to durable, with projections; producer, broker and database on the same machine, the records produced
 * before the clock starts. Each round measures the floor with the bytes of that round, right before.
 */
export async function run(): Promise<readonly Row[]> {
  const world = await createWorld();
  try {
    const rates: number[] = [];
    const floors: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const values = await produce(world, round * EVENTS_A_ROUND, EVENTS_A_ROUND);
      floors.push(await copyFloor(world.pool, values, FLOOR_BATCH));
      rates.push(await ingest(world));
    }
    const [value, floor] = [median(rates), median(floors)];
    const note = `floor: binary COPY of the same bytes into an unindexed logged table; median of ${ROUNDS} rounds of ${EVENTS_A_ROUND} events`;
    return [
      {
        name: 'ingest.kafka',
        value,
        unit: 'events/s',
        floor,
        ratio: median(rates.map((rate, at) => rate / floors[at]!)),
        note,
      },
    ];
  } finally {
    await world.stop();
  }
}

/** Sends the next round's events, spread over the partitions. Answers with their bytes. */
export async function produce(world: Pick<World, 'kafka'>, from: number, count: number): Promise<Buffer[]> {
  const producer = world.kafka.producer();
  await producer.connect();
  const values: Buffer[] = [];
  let waiting: { topic: string; message: ReturnType<typeof toKafkaMessage> }[] = [];
  const flush = async (): Promise<void> => {
    const topics = [...new Set(waiting.map(({ topic }) => topic))];
    await producer.sendBatch({
      topicMessages: topics.map((topic) => ({
        topic,
        messages: waiting.filter((one) => one.topic === topic).map(({ message }) => message),
      })),
    });
    waiting = [];
  };
  for (const { source, event } of makeEvents(from, count)) {
    const message = toKafkaMessage(event, { mode: 'binary' });
    values.push(Buffer.from(message.value));
    waiting.push({ topic: `rescind.events.${source}`, message });
    if (waiting.length === PRODUCE_BATCH) await flush();
  }
  if (waiting.length > 0) await flush();
  await producer.disconnect();
  return values;
}

async function ingest(world: World): Promise<number> {
  const before = await nextIndex(world.pool);
  const service = await world.serve();
  const rate = await rateOf(world, before, EVENTS_A_ROUND);
  await service.stop();
  return rate;
}

/**
 * Waits until so many entries follow the index `before`. Returns entries a second from the first one stored to the last; joining the group is not
 * counted. `look` is called at each poll.
 */
export async function rateOf(
  { pool }: Pick<World, 'pool'>,
  before: number,
  events: number,
  look?: () => Promise<void>,
): Promise<number> {
  const target = before + events;
  let first: { readonly at: number; readonly index: number } | undefined;
  for (;;) {
    const index = await nextIndex(pool);
    if (first === undefined && index > before) first = { at: performance.now(), index };
    await look?.();
    if (index >= target) return ((target - first!.index) / (performance.now() - first!.at)) * 1_000;
    await delay(POLL_MS);
  }
}
