import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createControlFollower, createControlLog } from '../../src/control/index.js';
import { accept, type Arrived } from '../../src/ingest/accept/accept.js';
import { createAppender } from '../../src/ingest/index.js';
import { MIGRATIONS } from '../../src/migrations.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/index.js';
import { createLog } from '../../src/platform/log/index.js';
import { createMetrics } from '../../src/platform/observe/index.js';
import { createPool, runMigrations } from '../../src/platform/postgres/index.js';
import { rebuildProjections, type Progress } from '../../src/projections/index.js';
import { bootstrap, createRegistry, DEFAULT_TENANT } from '../../src/registry/index.js';
import { API, IDP, makeEvents, RAS } from './events.js';
import { quantile, type Row } from './report.js';

const EVENTS = Number(process.env['BENCH_EVENTS'] ?? 100_000);
const EVENTS_A_SUBMISSION = 2_000;
/** Arriving meanwhile: so many events at a time, one submission after the other with a pause between. */
const EVENTS_MEANWHILE = 20;
const PAUSE_MS = 20;

/** `rescind rebuild all` beside an appender that goes on: events a second, and the longest time for which a submission waited. */
export async function run(): Promise<readonly Row[]> {
  const home = await mkdtemp(join(tmpdir(), 'rescind-bench-'));
  const log = createLog({ level: process.env['BENCH_LOG_LEVEL'] ?? 'error' });
  const postgres = await startEmbeddedPostgres({ directory: join(home, 'postgres'), log });
  const { url } = postgres;
  await runMigrations({ url, migrations: MIGRATIONS });
  const [pool, rebuilding] = [
    createPool({ url, max: 6, applicationName: 'bench' }),
    createPool({ url, max: 6, applicationName: 'bench-rebuild' }),
  ];
  const controlLog = createControlLog({ pool });
  const follower = createControlFollower({ url, controlLog, log, serves: false });
  await follower.start();
  await bootstrap({ home, controlLog, follower });
  const registry = createRegistry({ controlLog, follower });
  const actor = { id: 'admin', tenant: follower.state.tenantByName(DEFAULT_TENANT)!.id };
  await registry.createSource(actor, {
    name: 'idp',
    uri: `${IDP}/events`,
    types: ['id-jag.issued'],
    issuers: [IDP],
    resources: [],
  });
  await registry.createSource(actor, {
    name: 'ras',
    uri: `${RAS}/events`,
    types: ['token.issued', 'access.allowed', 'access.denied', 'access.summary'],
    issuers: [RAS],
    resources: [API],
  });
  await registry.createCaller(actor, { id: 'emitter', roles: { emit: { sources: ['idp', 'ras'] } } });
  const caller = follower.state.caller('emitter')!;
  const appender = createAppender({ pool, controlLog, follower, log, metrics: createMetrics() });
  await appender.start();
  let made = 0;
  const submit = async (count: number): Promise<void> => {
    const headers: Arrived['headers'] = [['content-type', Buffer.from('application/cloudevents+json')]];
    const events = [...makeEvents(made, count)].map(({ event }) =>
      accept(
        { mode: 'structured', headers, bytes: Buffer.from(JSON.stringify(event)), door: { kind: 'http', caller } },
        follower.state,
        Date.now(),
      ),
    );
    made += count;
    const outcomes = await appender.submit({ events });
    if (outcomes.some(({ state }) => state !== 'sequenced')) throw new Error('an event was refused');
  };
  const waits: number[] = [];
  const submitTimed = async (): Promise<void> => {
    const from = performance.now();
    await submit(EVENTS_MEANWHILE);
    waits.push(performance.now() - from);
    await delay(PAUSE_MS);
  };
  try {
    for (let n = 0; n < EVENTS / EVENTS_A_SUBMISSION; n += 1) await submit(EVENTS_A_SUBMISSION);
    for (let n = 0; n < 100; n += 1) await submitTimed();
    const quiet = Math.max(...waits.splice(0));
    const meanwhile = { going: true };
    const arriving = (async () => {
      while (meanwhile.going) await submitTimed();
    })();
    arriving.catch(() => undefined);
    const startedAt = performance.now();
    const phases = new Map<Progress['phase'], number>();
    const rebuilt = await rebuildProjections({
      pool: rebuilding,
      name: 'all',
      tenantKey: async (tenant) => follower.state.tenant(tenant)!.key,
      firstResources: (source) => follower.state.source(source)!,
      onProgress: ({ phase }) => {
        if (!phases.has(phase)) phases.set(phase, Math.round(performance.now() - startedAt));
      },
    });
    const elapsed = performance.now() - startedAt;
    meanwhile.going = false;
    await arriving;
    const differ = rebuilt.tables.filter(({ same }) => !same).map(({ table }) => table);
    const times = [...phases].map(([phase, ms]) => `${phase} from ${(ms / 1000).toFixed(1)} s`).join(', ');
    const note = `${rebuilt.entries} entries in ${(elapsed / 1000).toFixed(1)} s (${times}); switched: ${rebuilt.switched}, verified: ${rebuilt.verified}, differ: ${differ.join() || 'none'}; ingest held ${rebuilt.ingestHeldMs} ms; p50 and p99 are ms a submission of ${EVENTS_MEANWHILE} meanwhile, the longest ${Math.round(Math.max(...waits))} (${Math.round(quiet)} before)`;
    return [
      {
        name: 'rebuild',
        value: Number(rebuilt.entries) / (elapsed / 1000),
        unit: 'events/s',
        p50: quantile(waits, 0.5),
        p99: quantile(waits, 0.99),
        note,
      },
    ];
  } finally {
    await appender.stop();
    await follower.stop();
    await Promise.all([pool.end(), rebuilding.end()]);
    await postgres.stop();
    await rm(home, { recursive: true, force: true });
  }
}
