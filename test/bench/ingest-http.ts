import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CLOUDEVENTS_BATCH_MEDIA_TYPE } from '../../src/contracts/index.js';
import { copyFloor } from './copy-floor.pg.js';
import { makeEvents } from './events.js';
import { median, quantile, type Row } from './report.js';
import { createWorld } from './world.js';

const ROUNDS = 5;
const EVENTS_A_ROUND = Number(process.env['BENCH_EVENTS'] ?? 40_000);
const EVENTS_A_POST = 100;
const CONNECTIONS = 8;
const FLOOR_BATCH = 2_000;

interface Posted {
  readonly elapsed: number;
  readonly latencies: readonly number[];
}

/** Batches of 100 over HTTP until each is answered, that is durable; the client is a process of its own. */
export async function run(): Promise<readonly Row[]> {
  const world = await createWorld();
  const service = await world.serve();
  try {
    const rates: number[] = [];
    const floors: number[] = [];
    const latencies: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const values = [...makeEvents(round * EVENTS_A_ROUND, EVENTS_A_ROUND)].map(({ event }) =>
        Buffer.from(JSON.stringify(event)),
      );
      floors.push(await copyFloor(world.pool, values, FLOOR_BATCH));
      const posted = await post(`${service.url}/events`, world.emitKey, round * EVENTS_A_ROUND);
      rates.push((EVENTS_A_ROUND / posted.elapsed) * 1000);
      latencies.push(...posted.latencies);
    }
    const note = `floor: binary COPY of the same bytes; batches of ${EVENTS_A_POST} on ${CONNECTIONS} connections, p50 and p99 are ms a batch until durable`;
    const ratio = median(rates.map((rate, at) => rate / floors[at]!));
    return [
      {
        name: 'ingest.http',
        value: median(rates),
        unit: 'events/s',
        floor: median(floors),
        ratio,
        p50: median(latencies),
        p99: quantile(latencies, 0.99),
        note,
      },
    ];
  } finally {
    await service.stop();
    await world.stop();
  }
}

function post(url: string, key: string, from: number): Promise<Posted> {
  const client = fork(fileURLToPath(import.meta.url), ['client', url, key, String(from)]);
  return new Promise((resolve, reject) => {
    client.once('message', (message) => resolve(message as Posted));
    client.once('exit', (code) => reject(new Error(`the client ended with ${code}`)));
  });
}

async function runClient(url: string, key: string, from: number): Promise<void> {
  const events = [...makeEvents(from, EVENTS_A_ROUND)].map(({ event }) => event);
  const bodies = Array.from({ length: EVENTS_A_ROUND / EVENTS_A_POST }, (_, at) =>
    JSON.stringify(events.slice(at * EVENTS_A_POST, (at + 1) * EVENTS_A_POST)),
  );
  const latencies: number[] = [];
  const headers = { authorization: `Bearer ${key}`, 'content-type': CLOUDEVENTS_BATCH_MEDIA_TYPE };
  const startedAt = performance.now();
  const work = async (): Promise<void> => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) {
      const sentAt = performance.now();
      const response = await fetch(url, { method: 'POST', headers, body });
      const results = (await response.json()) as readonly { index?: string }[];
      if (response.status !== 200 || results.some(({ index }) => index === undefined))
        throw new Error(`refused: ${response.status}`);
      latencies.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  process.send!({ elapsed: performance.now() - startedAt, latencies });
}

const [role, url, key, from] = process.argv.slice(2);
if (role === 'client') {
  await runClient(url!, key!, Number(from));
  process.exit(0);
}
