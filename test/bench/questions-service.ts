import { fork, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createControlFollower, createControlLog } from '../../src/control/index.js';
import { accept, createAppender } from '../../src/ingest/index.js';
import { CLOUDEVENTS_MEDIA_TYPE, eventType } from '../../src/contracts/index.js';
import { startRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/index.js';
import { createLog } from '../../src/platform/log/index.js';
import { createMetrics } from '../../src/platform/observe/index.js';
import { createPool, type Pool } from '../../src/platform/postgres/index.js';
import { createRescindAdmin } from '../../src/sandbox/index.js';
import {
  createOrganisation,
  makeHistory,
  seedOrganisation,
  type Organisation,
  type SeedEvent,
} from '../../src/seed/index.js';
import { heard } from './introspection-load.js';

const log = createLog({ level: process.env['BENCH_LOG_LEVEL'] ?? 'error' });
const SEED = 'rescind';
const DOMAIN = 'corp.example';
const CALLER = 'bench-arrivals';

/** Settings that the manual advises for a dedicated database server: a quarter of this machine's memory, and the costs of a disk without heads. */
const SETTINGS = { shared_buffers: '6GB', effective_cache_size: '12GB', random_page_cost: '1.1' };

export interface Size {
  readonly events: number;
  readonly days: number;
}

export interface QuestionsService {
  readonly organisation: Organisation;
  readonly url: string;
  readonly databaseUrl: string;
  readonly key: string;
  readonly pool: Pool;
  /** The process of the service. */
  readonly child: ChildProcess;
  /** Lets so many events a second arrive until it is told to stop; then says how many came a second. */
  arrivals(rate: number): Promise<{ stop(): Promise<number> }>;
  stop(): Promise<void>;
}

export interface SeededDatabase {
  readonly url: string;
  /** Has `admin-key`, too. */
  readonly home: string;
  readonly pool: Pool;
  stop(): Promise<void>;
}

/** A PostgreSQL with a seeded organisation, kept where BENCH_DIR names a directory. */
export async function startSeededDatabase(size: Size, say: (line: string) => void): Promise<SeededDatabase> {
  const kept = process.env['BENCH_DIR'];
  const home =
    kept === undefined ? await mkdtemp(join(tmpdir(), 'rescind-bench-')) : resolve(kept, `${size.events}-${size.days}`);
  await mkdir(home, { recursive: true });
  const postgres = await startEmbeddedPostgres({ directory: join(home, 'postgres'), log, settings: SETTINGS });
  const marker = join(home, 'seeded.json');
  if ((await readFile(marker, 'utf8').catch(() => '')) === '') {
    const seeded = await seedOrganisation({
      databaseUrl: postgres.url,
      home,
      log,
      events: size.events,
      days: size.days,
      seed: SEED,
      onProgress: progress(say),
    });
    const { made, judged, written, waited } = seeded.pace;
    say(
      `seeded ${size.events} events in ${seeded.seconds.toFixed(0)} s: made ${made.toFixed(0)}, judged ${judged.toFixed(0)}, written ${written.toFixed(0)}, waited ${waited.toFixed(0)} s`,
    );
    await writeFile(marker, JSON.stringify({ ...size, seconds: seeded.seconds }));
  }
  const pool = createPool({ url: postgres.url, max: 4, applicationName: 'bench' });
  await pool.query('VACUUM ANALYZE').catch(() => undefined);
  return {
    url: postgres.url,
    home,
    pool,
    async stop() {
      await pool.end();
      await postgres.stop();
      if (kept === undefined) await rm(home, { recursive: true, force: true });
    },
  };
}

/** The service on such a database, in a process of its own. */
export async function startSeeded(size: Size, say: (line: string) => void): Promise<QuestionsService> {
  const database = await startSeededDatabase(size, say);
  const child = startAlone('serve', database.home, database.url);
  const { url, key } = await heard<{ url: string; key: string }>(child);
  return {
    organisation: createOrganisation({ seed: SEED, domain: DOMAIN }),
    url,
    key,
    pool: database.pool,
    child,
    databaseUrl: database.url,
    async arrivals(rate) {
      const arriving = startAlone('arrive', database.url, String(rate));
      await heard(arriving);
      return {
        async stop() {
          const said = heard<number>(arriving);
          arriving.send('end');
          return said;
        },
      };
    },
    async stop() {
      const ended = new Promise((done) => child.once('exit', done));
      child.send('end');
      await ended;
      await database.stop();
    },
  };
}

/** In a session of its own, as services are started: Linux shares processors between sessions, and each process of PostgreSQL has one. */
const startAlone = (...role: string[]): ChildProcess => fork(fileURLToPath(import.meta.url), role, { detached: true });

const SAY_EVERY_MS = 30_000;

function progress(say: (line: string) => void) {
  let saidAt = performance.now();
  return ({ sent, events }: { readonly sent: number; readonly events: number }): void => {
    if (performance.now() - saidAt < SAY_EVERY_MS) return;
    saidAt = performance.now();
    say(`seeding: ${sent} of ${events}`);
  };
}

async function serve(home: string, databaseUrl: string): Promise<void> {
  const service = await startRescind(
    readConfig({ RESCIND_HOME: home, PORT: '0', DATABASE_URL: databaseUrl, KAFKA_BROKERS: 'none' }),
    { log },
  );
  const admin = createRescindAdmin(service.url, service.adminKey!);
  const { apps } = createOrganisation({ seed: SEED, domain: DOMAIN });
  const roles = { emit: { sources: ['idp', ...apps.map(({ name }) => name)] } };
  await admin.post('/v1/callers', { id: CALLER, roles }).catch(() => undefined); // There already, in a kept database.
  process.send!({ url: service.url, key: service.adminKey });
  await new Promise((resolved) => process.once('message', resolved));
  await service.stop();
}

const TICK_MS = 100;
const MOST_AT_ONCE = 2_000;
const MOST_SECONDS = 900;
const RECENT = 10_000;

/** Runs arrivals beside the service, in a process with the role `ingest` alone: judged and written like events from Kafka. */
async function arrive(databaseUrl: string, rate: number): Promise<void> {
  const pool = createPool({ url: databaseUrl, max: 3, applicationName: 'bench-arrivals' });
  const controlLog = createControlLog({ pool });
  const follower = createControlFollower({ url: databaseUrl, controlLog, log, serves: false });
  await follower.start();
  const appender = createAppender({ pool, controlLog, follower, log, metrics: createMetrics() });
  await appender.start();
  const organisation = createOrganisation({ seed: SEED, domain: DOMAIN });
  const caller = follower.state.caller(CALLER)!;
  const uris = new Map([
    ['idp', organisation.idp.uri],
    ...organisation.apps.map(({ name, uri }) => [name, uri] as const),
  ]);
  const hour = Math.floor(Date.now() / 3_600_000) * 3_600;
  const run = `${Date.now().toString(36)}-`;
  // A month's history, of which each event is said to happen as it is sent: an hour of it at a time is held in memory.
  const history = makeHistory({
    organisation,
    seed: run,
    events: rate * MOST_SECONDS,
    start: hour - 30 * 86_400,
    end: hour,
    run,
    approvals: false,
  });
  // Said again at another time it would be a contradiction.
  const recent = new Set<string>();
  const next = (): SeedEvent => {
    for (;;) {
      const { value, done } = history.next();
      if (done) throw new Error('the arrivals ran out');
      const key = `${value.party} ${value.id}`;
      if (recent.has(key)) continue;
      recent.add(key);
      if (recent.size > RECENT) recent.delete(recent.values().next().value!);
      return value;
    }
  };
  const headers = [['content-type', Buffer.from(CLOUDEVENTS_MEDIA_TYPE)]] as const;
  const ending = new AbortController();
  process.once('message', () => ending.abort());
  let written = 0;
  let owed = 0;
  const startedAt = performance.now();
  for (let at = startedAt; !ending.signal.aborted; ) {
    const now = performance.now();
    // Events that it could not keep up with are skipped; the report says the rate that was reached.
    owed = Math.min(MOST_AT_ONCE, owed + ((now - at) / 1000) * rate);
    at = now;
    if (owed < (rate * TICK_MS) / 1000) {
      await new Promise((resolved) => setTimeout(resolved, TICK_MS / 4));
      continue;
    }
    const events = Array.from({ length: Math.floor(owed) }, () => {
      const { party, name, id, data } = next();
      const event = {
        specversion: '1.0',
        type: eventType(name),
        source: uris.get(party),
        id,
        time: new Date().toISOString(),
        data,
      };
      return accept(
        { mode: 'structured', headers, bytes: Buffer.from(JSON.stringify(event)), door: { kind: 'http', caller } },
        follower.state,
        Date.now(),
      );
    });
    owed -= events.length;
    const outcomes = await appender.submit({ events });
    const refused = outcomes.find(({ state }) => state === 'rejected');
    if (refused) throw new Error(JSON.stringify(refused));
    if (written === 0) process.send!('arriving');
    written += events.length;
  }
  process.send!((written / (performance.now() - startedAt)) * 1000);
  await appender.stop();
  await follower.stop();
  await pool.end();
}

const [role, ...rest] = process.argv.slice(2);
// In another session than its parent it would outlive it.
if (role === 'serve' || role === 'arrive') process.once('disconnect', () => process.exit(1));
if (role === 'serve') {
  await serve(rest[0]!, rest[1]!);
  process.exit(0);
}
if (role === 'arrive') {
  await arrive(rest[0]!, Number(rest[1]));
  process.exit(0);
}
