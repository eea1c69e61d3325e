import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { createLog } from '../../src/platform/log/index.js';
import { createPool } from '../../src/platform/postgres/index.js';
import { produce } from './ingest-kafka.js';
import { heard } from './introspection-load.js';
import { median, type Row } from './report.js';
import { createWorld, nextIndex, type World } from './world.js';

const GROUPS = [1, 2, 3];
const ROUNDS = 3;
const EVENTS_A_ROUND = Number(process.env['BENCH_EVENTS'] ?? 60_000);
const PARTITIONS = 6;
const POLL_MS = 10;
/** The heads are held while the processes find one another. */
const HOLD_TIMEOUT_MS = 60_000;

/**
 * Several ingesting processes on one consumer group, from Kafka to durable, beside one alone: rounds of one, two and three take turns.
 * The clock starts when all have joined: until then the ledger's heads are locked, so that nothing can be written.
 */
export async function run(): Promise<readonly Row[]> {
  const world = await createWorld();
  try {
    await spreadTopics(world);
    const rates = new Map<number, number[]>(GROUPS.map((size) => [size, []]));
    let sent = 0;
    for (let round = 0; round < ROUNDS; round++) {
      for (const size of GROUPS) {
        await produce(world, sent, EVENTS_A_ROUND);
        sent += EVENTS_A_ROUND;
        rates.get(size)!.push(await ingest(world, size));
      }
    }
    const alone = median(rates.get(1)!);
    const note = `processes on one group, ${PARTITIONS} partitions a topic; floor: one alone, in turn; median of ${ROUNDS} rounds of ${EVENTS_A_ROUND} events`;
    return GROUPS.slice(1).map((size) => {
      const value = median(rates.get(size)!);
      return {
        name: `ingest.group.${size}`,
        value,
        unit: 'events/s',
        floor: alone,
        ratio: value / alone,
        note: `${size} ${note}`,
      };
    });
  } finally {
    await world.stop();
  }
}

async function spreadTopics(world: World): Promise<void> {
  const admin = world.kafka.admin();
  await admin.connect();
  const topicPartitions = ['idp', 'ras'].map((source) => ({ topic: `rescind.events.${source}`, count: PARTITIONS }));
  await admin.createPartitions({ topicPartitions });
  await admin.disconnect();
}

async function ingest(world: World, size: number): Promise<number> {
  const letGo = await holdHeads(world);
  const before = await nextIndex(world.pool);
  const children = await Promise.all(Array.from({ length: size }, () => startProcess(world)));
  await allJoined(world, size);
  await letGo();
  const startedAt = performance.now();
  while ((await nextIndex(world.pool)) < before + EVENTS_A_ROUND) await delay(POLL_MS);
  const elapsed = performance.now() - startedAt;
  await Promise.all(children.map(endProcess));
  return (EVENTS_A_ROUND / elapsed) * 1000;
}

async function holdHeads({ url }: World): Promise<() => Promise<void>> {
  const timeouts = { lockMs: HOLD_TIMEOUT_MS, idleInTransactionMs: HOLD_TIMEOUT_MS, transactionMs: HOLD_TIMEOUT_MS };
  const pool = createPool({ url, max: 1, applicationName: 'bench', timeouts });
  const client = await pool.connect();
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM ledger_head FOR UPDATE');
  return async () => {
    await client.query('ROLLBACK');
    client.release();
    await pool.end();
  };
}

async function allJoined(world: World, size: number): Promise<void> {
  const admin = world.kafka.admin();
  await admin.connect();
  for (;;) {
    const { groups } = await admin.listGroups();
    const described = await admin.describeGroups(
      groups.map(({ groupId }) => groupId).filter((id) => id.startsWith('rescind-')),
    );
    if (described.groups.some(({ state, members }) => state === 'Stable' && members.length === size)) break;
    await delay(POLL_MS);
  }
  await admin.disconnect();
}

async function startProcess({ env }: World): Promise<ChildProcess> {
  const child = fork(fileURLToPath(import.meta.url), ['serve'], { env: { ...process.env, ...env } });
  await heard<string>(child);
  return child;
}

const endProcess = (child: ChildProcess): Promise<unknown> => {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.send('end');
  return ended;
};

if (process.argv[2] === 'serve' && process.send) {
  const service = await startRescind(readConfig(process.env), { log: createLog({ level: 'error' }) });
  process.on('message', async () => {
    await service.stop();
    process.exit(0);
  });
  process.send('ready');
}
