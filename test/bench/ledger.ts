import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { holdTree, integrateBatch } from '../../src/log/tree/integrate.pg.js';
import { startRescind, type RunningRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { createRescindAdmin } from '../../src/sandbox/index.js';
import { produce, rateOf } from './ingest-kafka.js';
import { median, quantile, type Row } from './report.js';
import { createWorld, nextIndex, readTo, type World } from './world.js';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const EVENTS_A_ROUND = Number(process.env['BENCH_EVENTS'] ?? 60_000);
/** Leaves the rounds without the tree out, for a run of many minutes. */
const IS_ALONE = process.env['BENCH_ALONE'] === 'yes';
const POLL_MS = 20;
const SAMPLE_EVERY = 50;
const TILE_SECONDS = 3;
const READERS = 8;
const ROLES_WITHOUT = 'ingest,serve,feed,archive';

/** The tree beside ingest: how fast entries are published, what it costs, and how fast tiles are served. */
export async function run(): Promise<readonly Row[]> {
  const world = await createWorld();
  try {
    const rates: { readonly all: number; readonly without: number }[] = [];
    const delays: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const without = IS_ALONE ? NaN : await ingest(world, 2 * round, ROLES_WITHOUT);
      const all = await ingest(world, 2 * round + 1, 'all', delays);
      rates.push({ all, without });
    }
    return [
      {
        name: 'ledger.publish',
        value: quantile(delays, 0.99),
        unit: 's',
        p50: quantile(delays, 0.5),
        p99: quantile(delays, 0.99),
        note: `from an entry's place in the ledger to the signed checkpoint that covers it, every ${SAMPLE_EVERY}th entry, beside ${Math.round(median(rates.map(({ all }) => all))).toLocaleString('en')} events/s from Kafka`,
      },
      ...(IS_ALONE ? [] : [compared(rates)]),
      await integration(world),
      await tiles(world),
    ];
  } finally {
    await world.stop();
  }
}

/** Ingest with the tree beside ingest without it. */
function compared(rates: readonly { readonly all: number; readonly without: number }[]): Row {
  return {
    name: 'ledger.ingest',
    value: median(rates.map(({ all }) => all)),
    unit: 'events/s',
    floor: median(rates.map(({ without }) => without)),
    ratio: median(rates.map(({ all, without }) => all / without)),
    note: `ingest.kafka with the role log in the same process; floor: without it, in turns: ${rates.map(({ all, without }) => `${all.toFixed(0)} of ${without.toFixed(0)}`).join(', ')}`,
  };
}

const serve = (world: World, roles: string): Promise<RunningRescind> =>
  startRescind(readConfig({ ...world.env, ROLES: roles }), { log: world.log });

/** Takes a round's events with these roles. Collects how long each sampled entry, once in the ledger, waited for its checkpoint, in seconds. */
async function ingest(world: World, round: number, roles: string, delays?: number[]): Promise<number> {
  await produce(world, round * EVENTS_A_ROUND, EVENTS_A_ROUND);
  const before = await nextIndex(world.pool);
  const service = await serve(world, roles);
  const watching = new AbortController();
  const seen = delays ? watch(world, watching.signal) : Promise.resolve([]);
  const rate = await rateOf(world, before, EVENTS_A_ROUND);
  const end = await nextIndex(world.pool);
  if (delays) while ((await sizes(world)).published < end) await delay(POLL_MS);
  // Detections that lag behind would slow the next round.
  while ((await readTo(world.pool)) < end) await delay(POLL_MS);
  watching.abort();
  const looks = await seen;
  await service.stop();
  if (!delays) return rate;
  for (let ix = before; ix < end; ix += SAMPLE_EVERY) {
    const sequenced = looks.find(({ entries }) => entries > ix)!;
    delays.push((looks.find(({ published }) => published > ix)!.at - sequenced.at) / 1_000);
  }
  return rate;
}

/** Reads how many entries the largest ledger has, and how many of them its newest checkpoint covers. */
async function sizes({ pool }: World): Promise<{ readonly entries: number; readonly published: number }> {
  const { rows } = await pool.query<{ entries: string; published: string | null }>(
    `SELECT next_ix AS entries, size AS published
       FROM ledger_head LEFT JOIN ledger_checkpoint USING (tenant) ORDER BY next_ix DESC, size DESC NULLS LAST LIMIT 1`,
  );
  const [row] = rows;
  return { entries: Number(row?.entries ?? 0), published: Number(row?.published ?? 0) };
}

/** Looks at both sizes until it is stopped, and once more then. */
async function watch(world: World, signal: AbortSignal) {
  const looks: { readonly entries: number; readonly published: number; readonly at: number }[] = [];
  for (let isLast = false; !isLast; await delay(POLL_MS)) {
    isLast = signal.aborted;
    looks.push({ ...(await sizes(world)), at: performance.now() });
  }
  return looks;
}

/** Integrates the second half of the ledger into a tree of the first. */
async function integration({ pool }: World): Promise<Row> {
  const { rows } = await pool.query<{ tenant: string; next_ix: string }>(
    'SELECT tenant, next_ix FROM ledger_head ORDER BY next_ix DESC LIMIT 1',
  );
  const { tenant, next_ix } = rows[0]!;
  const end = BigInt(next_ix);
  const rates: number[] = [];
  const busy: number[] = [];
  const floors: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await pool.query('TRUNCATE tree_head, tree_tile');
    let tree = await holdTree(pool, tenant);
    while (tree.size < end / 2n) tree = (await integrateBatch(pool, tenant, tree, end / 2n))!;
    const count = Number(end - tree.size);
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    while (tree.size < end) tree = (await integrateBatch(pool, tenant, tree, end))!;
    const ms = performance.now() - startedAt;
    const { user, system } = process.cpuUsage(cpu);
    rates.push((count / ms) * 1_000);
    busy.push((user + system) / count);
    floors.push(hashes(count));
  }
  return {
    name: 'ledger.integrate',
    value: median(rates),
    unit: 'entries/s',
    floor: median(floors),
    ratio: median(rates) / median(floors),
    note: `the second half of ${end} entries into the tree of the first, with PostgreSQL on the same cores; ${median(busy).toFixed(1)} µs of the process an entry; floor: bare SHA-256 of as many inner nodes`,
  };
}

function hashes(count: number): number {
  const input = randomBytes(65);
  const startedAt = performance.now();
  for (let nth = 0; nth < count; nth += 1) createHash('sha256').update(input).digest();
  return (count / (performance.now() - startedAt)) * 1_000;
}

/** Serves one full tile over and over; beside it, a file of the same bytes. */
async function tiles(world: World): Promise<Row> {
  const service = await serve(world, 'all');
  const root = await mkdtemp(join(tmpdir(), 'rescind-bench-tiles-'));
  const file = join(root, 'tile');
  const server = createServer(async (_request, response) => {
    const body = await readFile(file);
    response.writeHead(200, { 'content-length': body.length }).end(body);
  });
  try {
    const key = (
      await createRescindAdmin(service.url, service.adminKey!).post<{ secret: string }>('/v1/callers', {
        id: 'auditor',
        roles: { audit: {} },
      })
    ).secret;
    const { rows } = await world.pool.query<{ tenant: string }>('SELECT tenant FROM ledger_head LIMIT 1');
    while ((await sizes(world)).published === 0) await delay(POLL_MS);
    const url = `${service.url}/ledger/${rows[0]!.tenant}/tile/0/000`;
    const headers = { authorization: `Bearer ${key}` };
    await writeFile(file, Buffer.from(await (await fetch(url, { headers })).arrayBuffer()));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const floorUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const [floor, value] = [await load(floorUrl, {}), await load(url, headers)];
    const note = `a full tile of level 0 from PostgreSQL, ${READERS} readers in the same process; floor: a file of the same bytes from a bare node:http server`;
    return { name: 'ledger.tiles', value, unit: 'tiles/s', floor, ratio: value / floor, note };
  } finally {
    server.closeAllConnections();
    server.close();
    await service.stop();
    await rm(root, { recursive: true, force: true });
  }
}

async function load(url: string, headers: Record<string, string>): Promise<number> {
  const until = performance.now() + TILE_SECONDS * 1_000;
  let count = 0;
  await Promise.all(
    Array.from({ length: READERS }, async () => {
      while (performance.now() < until) {
        const answer = await fetch(url, { headers });
        if (answer.status !== 200) throw new Error(`${url}: ${answer.status}`);
        await answer.arrayBuffer();
        count += 1;
      }
    }),
  );
  return count / TILE_SECONDS;
}
