import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppModule } from './app.module.js';
import {
  CLOUDEVENTS_BATCH_MEDIA_TYPE,
  CLOUDEVENTS_MEDIA_TYPE,
  JSON_MEDIA_TYPE,
  MAX_POST_BYTES,
  NDJSON_MEDIA_TYPE,
  RescindError,
} from './contracts/index.js';
import { createControlFollower, createControlLog, type ControlFollower, type ControlLog } from './control/index.js';
import {
  createAppender,
  createDoor,
  createIntake,
  createKafkaConsumer,
  createLogBoundsReader,
  createOffsetStore,
  createPartitions,
  createQuarantineTopic,
  createReplay,
  createTopicMaker,
  keepQuarantineBounded,
  type IngestParts,
} from './ingest/index.js';
import { createIntrospection } from './introspection/index.js';
import { MIGRATIONS } from './migrations.js';
import {
  checkServer,
  createHealth,
  createHttpApp,
  createKafka,
  createLifecycle,
  createMetrics,
  createPool,
  listenHttp,
  runMigrations,
  startEmbeddedPostgres,
  startLocalKafka,
  type Config,
  type Health,
  type HotHandler,
  type Lifecycle,
  type Log,
  type Metrics,
  type Pool,
} from './platform/index.js';
import { createLineageReader } from './projections/index.js';
import { createQuestions, describeApi } from './query/index.js';
import { ADMIN_KEY_FILE, bootstrap, createAuthenticator, createKeySets, createRegistry, DEFAULT_TENANT } from './registry/index.js';
import { createRevocations, createRevokeHandler } from './revocation/index.js';

export const VERSION = '0.1.0';

/** The appender's own connections: its transaction, and reads beside it. */
const APPENDER_CONNECTIONS = 3;

/** A little beyond the largest batch, so that the intake itself can say which limit was passed. */
const BODIES = {
  mediaTypes: [CLOUDEVENTS_MEDIA_TYPE, CLOUDEVENTS_BATCH_MEDIA_TYPE, NDJSON_MEDIA_TYPE, JSON_MEDIA_TYPE],
  limitBytes: MAX_POST_BYTES + 64 * 1024,
};

export interface RunningRescind {
  readonly url: string;
  /** Of the caller `admin`, from the file that the first start wrote; undefined when the file is elsewhere. */
  readonly adminKey: string | undefined;
  readonly adminKeyPath: string;
  /** Whether this start made the administrator: say where its key lies, once. */
  readonly firstStart: boolean;
  /** null: HTTP intake alone. */
  readonly brokers: readonly string[] | null;
  /** Why there is no Kafka, for people; undefined when there is or when none was wanted. */
  readonly kafkaProblem: string | undefined;
  /** Resolves when a stop that anybody began has ended. */
  readonly stopped: Promise<unknown>;
  stop(): Promise<void>;
}

interface Parts {
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly lifecycle: Lifecycle;
  readonly pool: Pool;
  readonly controlLog: ControlLog;
  readonly follower: ControlFollower;
}

/**
 * Starts the roles of one process in order, and stops them in the reverse one. Rejects with a `RescindError` that says
 * what to do; then everything that it had started is stopped again.
 */
export async function startRescind(config: Config, { log, signals = false }: { log: Log; signals?: boolean }): Promise<RunningRescind> {
  const lifecycle = createLifecycle(log);
  if (signals) lifecycle.listenForSignals(() => process.exit(1));
  try {
    return await start(config, log, lifecycle);
  } catch (error) {
    await lifecycle.stop('the start failed');
    throw error;
  }
}

async function start(config: Config, log: Log, lifecycle: Lifecycle): Promise<RunningRescind> {
  const metrics = createMetrics({ processMetrics: true });
  const health = createHealth({ stopping: lifecycle.stopping });
  await mkdir(config.home, { recursive: true, mode: 0o700 });
  const [url, kafka] = await Promise.all([startDatabase(config, log, lifecycle), startKafka(config, log, lifecycle)]);

  const pool = createPool({ url, max: config.databasePoolMax, applicationName: 'rescind', onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost') });
  lifecycle.onStop('database pool', () => pool.end());
  await checkServer(pool);
  await runMigrations({ url, migrations: MIGRATIONS });

  const controlLog = createControlLog({ pool });
  const follower = createControlFollower({ url, controlLog, log, serves: config.roles.has('serve') });
  lifecycle.onStop('control log', () => follower.stop());
  await follower.start();
  const admin = await bootstrap({ home: config.home, controlLog, follower });

  const parts: Parts = { config, log, metrics, health, lifecycle, pool, controlLog, follower };
  const topics = kafka.brokers && createTopicMaker(createKafka({ brokers: kafka.brokers, clientId: 'rescind-registry', log }));
  if (topics) lifecycle.onStop('topic maker', () => topics.stop());
  const registry = createRegistry({ controlLog, follower, ...(topics ? { createTopic: topics.create } : {}) });
  const authenticate = createAuthenticator({ state: () => follower.state });
  const serving = config.roles.has('serve') ? startServing(parts, authenticate) : undefined;
  const ingest = config.roles.has('ingest') ? await startIngest(parts, url, kafka.brokers, authenticate) : undefined;

  health.register('database', async () => void (await pool.query('SELECT 1')));
  if (serving) health.register('serving', () => refuseWhen(follower.notCurrentReason(), 'no-lease'));
  const app = await createHttpApp({
    module: AppModule.with({
      platform: { config, log, metrics, health, lifecycle },
      registry: { registry, authenticate },
      ingest,
      serving,
    }),
    listen: config.listen,
    hot: serving?.hot ?? new Map<string, HotHandler>(),
    bodies: BODIES,
    log,
  });
  lifecycle.onStop('http', () => app.close());
  if (serving) describeApi(app, { version: VERSION });
  const address = await listenHttp(app, config.listen);
  log.info({ url: address, roles: [...config.roles], version: VERSION }, 'listening');

  return {
    url: address,
    adminKey: await readKey(join(config.home, ADMIN_KEY_FILE)),
    adminKeyPath: admin.path,
    firstStart: admin.created,
    brokers: kafka.brokers,
    kafkaProblem: kafka.problem,
    stopped: lifecycle.stopped,
    stop: async () => void (await lifecycle.stop('asked to')),
  };
}

async function startDatabase(config: Config, log: Log, lifecycle: Lifecycle): Promise<string> {
  if (config.database !== 'embedded') return config.database.url.reveal();
  const postgres = await startEmbeddedPostgres({ directory: join(config.home, 'postgres'), log });
  lifecycle.onStop('embedded PostgreSQL', () => postgres.stop());
  return postgres.url;
}

/** Without Java or Maven there is no local Kafka: said once, and the HTTP intake serves alone. */
async function startKafka(config: Config, log: Log, lifecycle: Lifecycle): Promise<{ brokers: readonly string[] | null; problem?: string }> {
  if (config.kafka === 'none') return { brokers: null };
  if (config.kafka !== 'embedded') return { brokers: config.kafka.brokers };
  try {
    const kafka = await startLocalKafka({ directory: join(config.home, 'kafka'), log });
    lifecycle.onStop('local Kafka', () => kafka.stop());
    return { brokers: kafka.brokers };
  } catch (error) {
    if (!(error instanceof RescindError) || error.code !== 'kafka-unavailable') throw error;
    log.warn({ detail: error.detail }, 'no local Kafka: events are taken over HTTP alone');
    return { brokers: null, problem: error.detail ?? error.message };
  }
}

function startServing(parts: Parts, authenticate: ReturnType<typeof createAuthenticator>) {
  const { config, log, metrics, lifecycle, pool, controlLog, follower } = parts;
  const keySets = createKeySets({ state: follower.state, log, allowedHosts: config.jwksAllowedHosts });
  lifecycle.onStop('key sets', () => keySets.stop());
  const lineage = createLineageReader({ pool });
  const introspection = createIntrospection({ follower, authenticate, keySets, lineage, metrics, log });
  const revocations = createRevocations({ controlLog, follower, pool });
  const revoke = createRevokeHandler({ authenticate, revocations, verifier: introspection.verifier, lineage, follower, log, metrics });
  const questions = createQuestions({ pool, control: () => follower.state });
  const hot = new Map<string, HotHandler>([
    ['/introspect', introspection.handle],
    ['/revoke', revoke],
  ]);
  return { questions, revocations, hot };
}

async function startIngest(
  parts: Parts,
  url: string,
  brokers: readonly string[] | null,
  authenticate: ReturnType<typeof createAuthenticator>,
): Promise<IngestParts> {
  const { log, metrics, health, lifecycle, controlLog, follower } = parts;
  const pool = createPool({ url, max: APPENDER_CONNECTIONS, applicationName: 'rescind-ingest', onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost') });
  lifecycle.onStop('ingest pool', () => pool.end());
  const kafka = brokers && createKafka({ brokers, clientId: 'rescind-ingest', log });
  const notices = kafka && createQuarantineTopic({ kafka, log, metrics });
  if (notices) lifecycle.onStop('quarantine topic', () => notices.stop());
  const quarantine = keepQuarantineBounded({ pool: parts.pool, log, metrics });
  lifecycle.onStop('quarantine', quarantine.stop);
  const appender = createAppender({
    pool,
    controlLog,
    follower,
    log,
    metrics,
    onRefused(refused) {
      notices?.tell(refused);
      quarantine.tell(refused);
    },
  });
  lifecycle.onStop('appender', () => appender.stop());
  await appender.start();
  const offsets = createOffsetStore({ pool });
  const bounds = kafka && createLogBoundsReader({ kafka });
  if (bounds) lifecycle.onStop('log bounds', () => bounds.stop());
  const ingest: IngestParts = {
    intake: createIntake({ follower, appender }),
    door: createDoor({ authenticate, metrics }),
    replay: createReplay({ pool: parts.pool, follower, appender, log }),
    partitions: bounds ? createPartitions({ offsets: createOffsetStore({ pool: parts.pool }), bounds, follower, appender, log }) : undefined,
    isOperator: ({ tenant }) => follower.state.tenant(tenant)?.name === DEFAULT_TENANT,
  };
  if (!kafka) return ingest;

  const groupId = `rescind-${follower.state.tenantByName(DEFAULT_TENANT)!.id}`;
  const consumer = createKafkaConsumer({ kafka, groupId, follower, appender, offsets, log, metrics });
  lifecycle.onStop('Kafka consumer', () => consumer.stop());
  await consumer.start();
  health.register('kafka', () => refuseWhen(consumer.notReadyReason(), 'kafka-unavailable'));
  return ingest;
}

function refuseWhen(reason: string | undefined, code: 'no-lease' | 'kafka-unavailable'): void {
  if (reason !== undefined) throw new RescindError(code, { detail: reason });
}

async function readKey(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
