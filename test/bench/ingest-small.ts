import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CLOUDEVENTS_BATCH_MEDIA_TYPE } from '../../src/contracts/index.js';
import { makeEvents } from './events.js';
import { median, quantile, type Row } from './report.js';
import { createWorld } from './world.js';

const SIZES = [1, 10, 100];
/** Sizes take turns, so that none has the quieter part of the run. */
const ROUNDS = 6;
const POSTS_A_ROUND = Number(process.env['BENCH_POSTS'] ?? 100);
/** Posts that compile the code and fill the caches. */
const WARMUP = 100;

/** Small posts on one connection, one after the other, until each is answered, that is durable. Nothing else arrives. */
export async function run(): Promise<readonly Row[]> {
  const world = await createWorld();
  const service = await world.serve();
  try {
    const measured = await post(`${service.url}/events`, world.emitKey);
    return SIZES.map((size, at) => ({
      name: `ingest.small.${size}`,
      value: median(measured[at]!),
      unit: 'ms',
      p50: median(measured[at]!),
      p99: quantile(measured[at]!, 0.99),
      note: `${measured[at]!.length} posts of ${size} events on one connection, until durable`,
    }));
  } finally {
    await service.stop();
    await world.stop();
  }
}

function post(url: string, key: string): Promise<readonly (readonly number[])[]> {
  const client = fork(fileURLToPath(import.meta.url), ['client', url, key]);
  return new Promise((resolve, reject) => {
    client.once('message', (message) => resolve(message as number[][]));
    client.once('exit', (code) => reject(new Error(`the client ended with ${code}`)));
  });
}

async function runClient(url: string, key: string): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': CLOUDEVENTS_BATCH_MEDIA_TYPE };
  let sent = 0;
  const timeOf = async (size: number): Promise<number> => {
    const body = JSON.stringify([...makeEvents(sent, size)].map(({ event }) => event));
    sent += size;
    const sentAt = performance.now();
    const response = await fetch(url, { method: 'POST', headers, body });
    const results = (await response.json()) as readonly { index?: string }[];
    if (response.status !== 200 || results.some(({ index }) => index === undefined))
      throw new Error(`refused: ${response.status}`);
    return performance.now() - sentAt;
  };
  const times: number[][] = SIZES.map(() => []);
  for (let nth = 0; nth < WARMUP; nth++) await timeOf(SIZES[nth % SIZES.length]!);
  for (let round = 0; round < ROUNDS; round++)
    for (const [at, size] of SIZES.entries())
      for (let nth = 0; nth < POSTS_A_ROUND; nth++) times[at]!.push(await timeOf(size));
  process.send!(times);
}

const [role, url, key] = process.argv.slice(2);
if (role === 'client') {
  await runClient(url!, key!);
  process.exit(0);
}
