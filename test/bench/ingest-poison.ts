import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CLOUDEVENTS_BATCH_MEDIA_TYPE } from '../../src/contracts/index.js';
import { makeEvents } from './events.js';
import { median, quantile, type Row } from './report.js';
import { createWorld } from './world.js';

const ROUNDS = 3;
/** Bad records in a row on the topic, at least; they go on until the good events are posted. */
const BAD_A_ROUND = 10_000;
const BAD_A_SEND = 1_000;
/** Limits bad records to 5,000 a second: the bench measures whether they delay good events, not who has the processor. */
const BAD_PAUSE_MS = 200;
const GOOD_POSTS = 200;
const EVENTS_A_POST = 10;
/** Spreads the posts over the time that the bad records take. */
const PAUSE_MS = 10;

/** Measures how long good events take until durable while a source's topic is full of bad records, beside the same without them. */
export async function run(): Promise<readonly Row[]> {
  const world = await createWorld();
  const service = await world.serve();
  const producer = world.kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    const quiet: number[] = [];
    const poisoned: number[] = [];
    const ratios: number[] = [];
    let bad = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const from = round * 2 * GOOD_POSTS * EVENTS_A_POST;
      const calm = await post(`${service.url}/events`, world.emitKey, from);
      const posting = new AbortController();
      const posted = post(`${service.url}/events`, world.emitKey, from + GOOD_POSTS * EVENTS_A_POST).finally(() =>
        posting.abort(),
      );
      for (let n = 0; n < BAD_A_ROUND || !posting.signal.aborted; n += BAD_A_SEND) {
        const messages = Array.from({ length: BAD_A_SEND }, (_, at) => ({ value: `{"bad":${round},"n":${n + at},` }));
        await producer.send({ topic: 'rescind.events.idp', messages });
        bad += BAD_A_SEND;
        await new Promise((done) => setTimeout(done, BAD_PAUSE_MS));
      }
      const busy = await posted;
      quiet.push(...calm);
      poisoned.push(...busy);
      ratios.push(quantile(busy, 0.99) / quantile(calm, 0.99));
      await untilQuarantined(world.pool, bad);
    }
    const note = `p50 and p99: ms until ${EVENTS_A_POST} good events are durable under 5,000 bad records a second (${bad} in all); floor: the p99 without them; ratio: median of the rounds`;
    return [
      {
        name: 'ingest.poison',
        value: quantile(poisoned, 0.99),
        unit: 'ms p99',
        floor: quantile(quiet, 0.99),
        ratio: median(ratios),
        p50: median(poisoned),
        p99: quantile(poisoned, 0.99),
        note,
      },
    ];
  } finally {
    await producer.disconnect();
    await service.stop();
    await world.stop();
  }
}

async function untilQuarantined(pool: Awaited<ReturnType<typeof createWorld>>['pool'], count: number): Promise<void> {
  while (Number((await pool.query<{ n: string }>('SELECT count(*) AS n FROM quarantine')).rows[0]!.n) < count)
    await new Promise((done) => setTimeout(done, 50));
}

function post(url: string, key: string, from: number): Promise<readonly number[]> {
  const client: ChildProcess = fork(fileURLToPath(import.meta.url), ['client', url, key, String(from)]);
  return new Promise((resolve, reject) => {
    client.once('message', (message) => resolve(message as readonly number[]));
    client.once('exit', (code) => reject(new Error(`the client ended with ${code}`)));
  });
}

async function runClient(url: string, key: string, from: number): Promise<void> {
  const events = [...makeEvents(from, GOOD_POSTS * EVENTS_A_POST)].map(({ event }) => event);
  const headers = { authorization: `Bearer ${key}`, 'content-type': CLOUDEVENTS_BATCH_MEDIA_TYPE };
  const latencies: number[] = [];
  for (let at = 0; at < events.length; at += EVENTS_A_POST) {
    const body = JSON.stringify(events.slice(at, at + EVENTS_A_POST));
    const sentAt = performance.now();
    const response = await fetch(url, { method: 'POST', headers, body });
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`refused: ${response.status}`);
    latencies.push(performance.now() - sentAt);
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
  process.send!(latencies);
}

const [role, url, key, from] = process.argv.slice(2);
if (role === 'client') {
  await runClient(url!, key!, Number(from));
  process.exit(0);
}
