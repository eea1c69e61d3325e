import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startRescind, type RunningRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { startEmbeddedPostgres, startLocalKafka } from '../../src/platform/embedded/index.js';
import { createClient } from '../../src/platform/kafka/client.kafka.js';
import { createLog, type Log } from '../../src/platform/log/index.js';
import { createPool, type Pool } from '../../src/platform/postgres/index.js';
import { createRescindAdmin } from '../../src/sandbox/index.js';
import { API, IDP, RAS } from './events.js';

export interface World {
  readonly url: string;
  readonly brokers: readonly string[];
  readonly emitKey: string;
  readonly pool: Pool;
  readonly log: Log;
  readonly kafka: ReturnType<typeof createClient>;
  /** The environment variables of the service. */
  readonly env: Readonly<Record<string, string>>;
  /** The service as `rescind serve` starts it, in this process. */
  serve(): Promise<RunningRescind>;
  stop(): Promise<void>;
}

const ACCESS = ['access.allowed', 'access.denied', 'access.summary'];

/** A PostgreSQL and a Kafka of its own, two registered sources, and a caller that may emit for them. */
export async function createWorld(): Promise<World> {
  const home = await mkdtemp(join(tmpdir(), 'rescind-bench-'));
  const log = createLog({ level: process.env['BENCH_LOG_LEVEL'] ?? 'error' });
  const postgres = await startEmbeddedPostgres({ directory: join(home, 'postgres'), log });
  const local = await startLocalKafka({
    directory: join(home, 'kafka'),
    libraries: resolve('node_modules/.cache/rescind-kafka'),
    log,
  });
  const env = { RESCIND_HOME: home, PORT: '0', DATABASE_URL: postgres.url, KAFKA_BROKERS: local.brokers.join(',') };
  const config = readConfig(env);
  const serve = (): Promise<RunningRescind> => startRescind(config, { log });

  const service = await serve();
  const admin = createRescindAdmin(service.url, service.adminKey!);
  await admin.post('/v1/sources', {
    name: 'idp',
    uri: `${IDP}/events`,
    types: ['id-jag.issued'],
    issuers: [IDP],
    resources: [],
  });
  await admin.post('/v1/sources', {
    name: 'ras',
    uri: `${RAS}/events`,
    types: ['token.issued', ...ACCESS],
    issuers: [RAS],
    resources: [API],
  });
  const caller = await admin.post<{ secret: string }>('/v1/callers', {
    id: 'emitter',
    roles: { emit: { sources: ['idp', 'ras'] } },
  });
  await service.stop();

  const pool = createPool({ url: postgres.url, max: 4, applicationName: 'bench' });
  return {
    url: postgres.url,
    brokers: local.brokers,
    emitKey: caller.secret,
    pool,
    log,
    kafka: createClient({ brokers: local.brokers, clientId: 'bench', log }),
    env,
    serve,
    async stop() {
      await pool.end();
      await local.stop();
      await postgres.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export async function nextIndex(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ n: string }>('SELECT coalesce(sum(next_ix), 0) AS n FROM ledger_head');
  return Number(rows[0]!.n);
}

/** Returns the index below which the detections have read everything. */
export async function readTo(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ n: string }>('SELECT coalesce(sum(next_ix), 0) AS n FROM finding_cursor');
  return Number(rows[0]!.n);
}
