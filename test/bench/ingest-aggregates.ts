import { fork, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { eventType, SOURCE_EVENT_NAMES } from '../../src/contracts/index.js';
import { createControlFollower, createControlLog } from '../../src/control/index.js';
import { toKafkaMessage } from '../../src/emit/index.js';
import { accept, createAppender } from '../../src/ingest/index.js';
import { MIGRATIONS } from '../../src/migrations.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/index.js';
import { createLog } from '../../src/platform/log/index.js';
import { createMetrics } from '../../src/platform/observe/index.js';
import { createPool, runMigrations, type Pool } from '../../src/platform/postgres/index.js';
import { ADMIN_CALLER, bootstrap, createRegistry, DEFAULT_TENANT } from '../../src/registry/index.js';
import { createOrganisation, makeHistory, type SeedEvent } from '../../src/seed/index.js';
import { heard, tell } from './introspection-load.js';
import { median, type Row } from './report.js';
import { leaveOutAggregates } from './without-aggregates.js';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 6);
/** The first round closes a block of users' sums. */
const EVENTS_A_ROUND = Number(process.env['BENCH_EVENTS'] ?? 20_000);
const EVENTS_A_BATCH = 8_000;
/** Events that the consumer of Kafka judges before the batch that is being written has its turn. */
const JUDGED_IN_A_TURN = 16;
const SEED = 'rescind';
const DOMAIN = 'corp.example';
const CALLER = 'bench-arrivals';

interface Round {
  readonly seconds: number;
  /** Microseconds an event: of the process that judges and seals, and of its sessions at the database. */
  readonly node: number;
  readonly postgres: number;
  /** Bytes of WAL, and by which the database grew, an event. */
  readonly wal: number;
  readonly disk: number;
}

type Side = 'with' | 'without';

/**
 * The same events of the seeded organisation through two appenders, each a process with a database of its own at one server, a round of
 * the one and a round of the other in turn: one writes all projections, the other all but the aggregates. CPU time stays comparable
 * on a machine that does other things too; the rate does not.
 */
export async function run(): Promise<readonly Row[]> {
  const home = await mkdtemp(join(tmpdir(), 'rescind-bench-'));
  const log = createLog({ level: process.env['BENCH_LOG_LEVEL'] ?? 'error' });
  const postgres = await startEmbeddedPostgres({ directory: join(home, 'postgres'), log });
  const pool = createPool({ url: postgres.url, max: 1, applicationName: 'bench' });
  const children: ChildProcess[] = [];
  try {
    const started = async (side: Side): Promise<ChildProcess> => {
      await pool.query(`CREATE DATABASE bench_${side}`);
      const url = new URL(postgres.url);
      url.pathname = `/bench_${side}`;
      const child = fork(fileURLToPath(import.meta.url), ['append', side, join(home, side), url.href]);
      children.push(child);
      await heard(child);
      return child;
    };
    const sides = { with: await started('with'), without: await started('without') };
    const rounds: Record<Side, Round[]> = { with: [], without: [] };
    for (let round = 0; round < ROUNDS; round++) {
      // The side that begins finds the caches of the other, so the sides begin in turn.
      for (const side of round % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const)) {
        const measured = await tell<Round>(sides[side], 'round');
        // The first one compiles, and fills tables and caches.
        if (round > 0) rounds[side].push(measured);
      }
    }
    return [rowOf(rounds)];
  } finally {
    for (const child of children) child.kill();
    await pool.end();
    await postgres.stop();
    await rm(home, { recursive: true, force: true });
  }
}

function rowOf(rounds: Readonly<Record<Side, readonly Round[]>>): Row {
  const rate = (side: Side): number => median(rounds[side].map(({ seconds }) => EVENTS_A_ROUND / seconds));
  const of = (side: Side, part: 'node' | 'postgres' | 'wal' | 'disk', digits = 0): string =>
    median(rounds[side].map((round) => round[part])).toFixed(digits);
  const cpu = (side: Side): string =>
    `${of(side, 'postgres', 1)} µs of PostgreSQL's sessions and ${of(side, 'node', 1)} µs of the process, ${of(side, 'wal')} bytes of WAL and ${of(side, 'disk')} of disk`;
  const note = `floor: without the aggregates; an event costs ${cpu('with')}, without them ${cpu('without')}; median of ${ROUNDS - 1} rounds of ${EVENTS_A_ROUND} events`;
  return {
    name: 'ingest.aggregates',
    value: rate('with'),
    unit: 'events/s',
    floor: rate('without'),
    ratio: rate('with') / rate('without'),
    note,
  };
}

async function append(side: Side, home: string, url: string): Promise<void> {
  const log = createLog({ level: process.env['BENCH_LOG_LEVEL'] ?? 'error' });
  await mkdir(home, { recursive: true });
  await runMigrations({ url, migrations: MIGRATIONS });
  const pool = createPool({ url, max: 3, applicationName: 'bench-append' });
  const checkLeftOut = side === 'without' ? leaveOutAggregates(pool) : (): void => undefined;
  const controlLog = createControlLog({ pool });
  const follower = createControlFollower({ url, controlLog, log, serves: false });
  await follower.start();
  await bootstrap({ home, controlLog, follower });
  const organisation = createOrganisation({ seed: SEED, domain: DOMAIN });
  const { idp, apps } = organisation;
  const registry = createRegistry({ controlLog, follower });
  const actor = { id: ADMIN_CALLER, tenant: follower.state.tenantByName(DEFAULT_TENANT)!.id };
  const resources = apps.flatMap(({ issuer, resource }) => [issuer, resource]);
  await registry.createSource(actor, {
    name: 'idp',
    uri: idp.uri,
    types: SOURCE_EVENT_NAMES,
    issuers: [idp.issuer],
    resources,
  });
  for (const { name, uri, issuer, resource } of apps) {
    await registry.createSource(actor, {
      name,
      uri,
      types: SOURCE_EVENT_NAMES,
      issuers: [issuer],
      resources: [resource],
    });
  }
  await registry.createCaller(actor, {
    id: CALLER,
    roles: { emit: { sources: ['idp', ...apps.map(({ name }) => name)] } },
  });
  const uris = new Map([['idp', idp.uri], ...apps.map(({ name, uri }) => [name, uri] as const)]);
  const door = { kind: 'http', caller: follower.state.caller(CALLER)! } as const;
  const appender = createAppender({ pool, controlLog, follower, log, metrics: createMetrics() });
  await appender.start();

  const hour = Math.floor(Date.now() / 3_600_000) * 3_600;
  const history = makeHistory({
    organisation,
    seed: 'arrivals',
    events: 4 * (ROUNDS + 1) * EVENTS_A_ROUND,
    start: hour - 30 * 86_400,
    end: hour,
    run: 'arrivals-',
    approvals: false,
  });
  const arrivals = arrivalsOf(history, uris);
  const write = async (judged: readonly ReturnType<typeof accept>[]): Promise<void> => {
    const outcomes = await appender.submit({ events: judged });
    const refused = outcomes.find(({ state }) => state === 'rejected');
    if (refused) throw new Error(JSON.stringify(refused));
  };
  /** Judged and sealed while the batch before is written, as what comes from Kafka. */
  const appendAll = async (events: readonly Arrival[]): Promise<void> => {
    let writing: Promise<void> = Promise.resolve();
    for (let from = 0; from < events.length; from += EVENTS_A_BATCH) {
      const judged: ReturnType<typeof accept>[] = [];
      for (const arrival of events.slice(from, from + EVENTS_A_BATCH)) {
        const one = accept({ ...arrival, mode: 'binary', door }, follower.state, Date.now());
        appender.prepare(one);
        judged.push(one);
        if (judged.length % JUDGED_IN_A_TURN === 0) await nextTurn();
      }
      await writing;
      writing = write(judged);
      writing.catch(() => undefined); // Met at the next turn.
    }
    await writing;
  };

  const answer = async (): Promise<void> => {
    const events = Array.from({ length: EVENTS_A_ROUND }, () => arrivals.next().value!);
    const round = await measure(pool, () => appendAll(events));
    checkLeftOut();
    process.send!(round);
  };
  // A round that fails ends the process, and with it the benchmark.
  process.on('message', () => void answer());
  process.send!('ready');
}

interface Arrival {
  readonly headers: readonly (readonly [string, Buffer])[];
  readonly bytes: Buffer;
}

/** Makes Kafka records of the events, each with the present time. Repeated events are left out, because with another time they would be contradictions. */
function* arrivalsOf(history: Iterable<SeedEvent>, uris: ReadonlyMap<string, string>): Generator<Arrival, void> {
  const said = new Set<string>();
  for (const { party, name, id, data } of history) {
    if (said.has(`${party} ${id}`)) continue;
    said.add(`${party} ${id}`);
    const event = {
      specversion: '1.0',
      type: eventType(name),
      source: uris.get(party)!,
      id,
      time: new Date().toISOString(),
      data,
    } as const;
    const { headers, value } = toKafkaMessage(event, { mode: 'binary' });
    yield {
      headers: Object.entries(headers).map(([header, text]) => [header, Buffer.from(text)] as const),
      bytes: value,
    };
  }
}

async function measure(pool: Pool, work: () => Promise<void>): Promise<Round> {
  const before = await cpuOfSessions(pool);
  const grown = await sizes(pool);
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  let sessions = 0;
  for (const [pid, us] of await cpuOfSessions(pool)) sessions += us - (before.get(pid) ?? 0);
  const { wal, disk } = await sizes(pool);
  return {
    seconds,
    node: (user + system) / EVENTS_A_ROUND,
    postgres: sessions / EVENTS_A_ROUND,
    wal: (wal - grown.wal) / EVENTS_A_ROUND,
    disk: (disk - grown.disk) / EVENTS_A_ROUND,
  };
}

/** Bytes of the server's WAL and of the database. Nothing else writes at the server meanwhile. */
async function sizes(pool: Pool): Promise<{ readonly wal: number; readonly disk: number }> {
  const { rows } = await pool.query<{ wal: string; disk: string }>(
    "SELECT pg_current_wal_insert_lsn() - '0/0' AS wal, pg_database_size(current_database()) AS disk",
  );
  return { wal: Number(rows[0]!.wal), disk: Number(rows[0]!.disk) };
}

/** The kernel counts in hundredths of a second (`proc_pid_stat(5)`, fields 14 and 15). */
const TICK_US = 10_000;

/** Microseconds of each of the appender's sessions, by process. */
async function cpuOfSessions(pool: Pool): Promise<ReadonlyMap<number, number>> {
  const { rows } = await pool.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'bench-append'",
  );
  return new Map(
    await Promise.all(
      rows.map(async ({ pid }) => {
        const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ');
        return [pid, (Number(fields[11]) + Number(fields[12])) * TICK_US] as const;
      }),
    ),
  );
}

const [role, side, home, url] = process.argv.slice(2);
if (role === 'append') await append(side as Side, home!, url!);
