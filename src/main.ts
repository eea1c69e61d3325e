import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppModule } from './app.module.js';
import {
  CLOUDEVENTS_BATCH_MEDIA_TYPE,
  CLOUDEVENTS_MEDIA_TYPE,
  JSON_MEDIA_TYPE,
  MAX_POST_BYTES,
  NDJSON_MEDIA_TYPE,
  RescindError,
} from './contracts/index.js';
import { createConfirmationKeeper, createControlFollower, createControlLog, keepSnapshots, measureFollower, withWait, type Caller, type ControlFollower, type ControlLog } from './control/index.js';
import { createControlFence, createFeeds, createTopicFeeds, restoreControlLog, type Feeds, type Restored } from './feeds/index.js';
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
  createRuleQuota,
  createTopicMaker,
  keepQuarantineBounded,
  type Appender,
  type IngestParts,
  type OwnEvent,
} from './ingest/index.js';
import { createIntrospection, createRemoteAddress, type OnCounts, type TenantCount } from './introspection/index.js';
import { MIGRATIONS } from './migrations.js';
import {
  checkServer,
  createHealth,
  createHttpApp,
  createKafka,
  createLifecycle,
  createMetrics,
  createOtlpSink,
  createPool,
  createPoolMetrics,
  createReadinessMetrics,
  createTracing,
  startProcessGroup,
  endStuckSessions,
  isLoopback,
  listenHttp,
  listenUnready,
  runMigrations,
  startDatabase,
  startKafka,
  type Config,
  type GroupMember,
  type Health,
  type HotHandler,
  type KafkaServers,
  type Lifecycle,
  type Log,
  type Metrics,
  type Pool,
  type SessionTimeouts,
  type Tracing,
} from './platform/index.js';
import { createLineageReader } from './projections/index.js';
import { createQuestions, CSV_MEDIA_TYPE, describeApi, type PreviewOrder, type SourceSight } from './query/index.js';
import { ADMIN_KEY_FILE, bootstrap, createAuthenticator, createKeySets, createRegistry, DEFAULT_TENANT } from './registry/index.js';
import { createRevocations, createRevokeHandler } from './revocation/index.js';

export const VERSION = '0.1.0';

/** The appender's own connections: its transaction, and reads beside it. */
const APPENDER_CONNECTIONS = 3;

const APPENDER_NAME = 'rescind-ingest';

/** A batch takes milliseconds. One whose process has stopped keeps the ledgers' heads from the others no longer than its transaction may last. */
const APPENDER_TIMEOUTS: SessionTimeouts = { statementMs: 20_000, lockMs: 20_000, idleInTransactionMs: 5_000, transactionMs: 20_000 };

/** A little beyond the largest batch, so that the intake itself can say which limit was passed. */
const BODIES = {
  mediaTypes: [CLOUDEVENTS_MEDIA_TYPE, CLOUDEVENTS_BATCH_MEDIA_TYPE, NDJSON_MEDIA_TYPE, JSON_MEDIA_TYPE, CSV_MEDIA_TYPE],
  limitBytes: MAX_POST_BYTES + 64 * 1024,
};

/** The session that holds the right to publish, and reads beside it. */
const TOPIC_FEEDS_CONNECTIONS = 2;

/** One transaction at a time. */
const RESTORE_CONNECTIONS = 2;

/** How often a process that may not begin looks again, and how often it says so. */
const FENCE_RETRY_MS = 2_000;
const FENCE_REMINDER_MS = 60_000;

/** What a process can say of itself to another. */
export interface RunningFacts {
  readonly url: string;
  /** Of the caller `admin`, from the file that the first start wrote; undefined when the file is elsewhere. */
  readonly adminKey: string | undefined;
  readonly adminKeyPath: string;
  /** Whether this start made the administrator: say where its key lies, once. */
  readonly firstStart: boolean;
  /** null: HTTP intake alone. */
  readonly brokers: readonly string[] | null;
}

export interface RunningRescind extends RunningFacts {
  /** Why there is no Kafka, for people; undefined when there is or when none was wanted. */
  readonly kafkaProblem: string | undefined;
  /** Resolves when a stop that anybody began has ended. */
  readonly stopped: Promise<unknown>;
  stop(): Promise<void>;
}

interface StartOptions {
  readonly log: Log;
  /** SIGINT and SIGTERM begin a stop. */
  readonly signals?: boolean;
  /** Where this process shares its port with others. */
  readonly member?: GroupMember;
}

interface Parts {
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
  readonly health: Health;
  readonly lifecycle: Lifecycle;
  readonly pool: Pool;
  readonly watchPool: (name: string, pool: Pool) => void;
  readonly controlLog: ControlLog;
  readonly follower: ControlFollower;
}

/**
 * Starts the roles of one process in order, and stops them in the reverse one. Rejects with a `RescindError` that says
 * what to do; then everything that it had started is stopped again.
 */
export async function startRescind(config: Config, { log, signals = false, member }: StartOptions): Promise<RunningRescind> {
  const lifecycle = createLifecycle(log);
  if (signals) lifecycle.listenForSignals(() => process.exit(1));
  member?.onStop(() => void lifecycle.stop('its group ends'));
  try {
    return await start(config, log, lifecycle, member);
  } catch (error) {
    await lifecycle.stop('the start failed');
    throw error;
  }
}

/**
 * Starts as many processes as the configuration wants, which share one port; each is a node. The embedded services are this
 * process's own, which serves nothing itself. Rejects as {@link startRescind} does.
 */
export async function startRescindGroup(config: Config, { log, signals = false }: Omit<StartOptions, 'member'>): Promise<RunningRescind> {
  const lifecycle = createLifecycle(log);
  if (signals) lifecycle.listenForSignals(() => process.exit(1));
  try {
    await mkdir(config.home, { recursive: true, mode: 0o700 });
    const [url, kafka] = await Promise.all([startDatabase(config, log, lifecycle), startKafka(config, log, lifecycle)]);
    const embedded = {
      ...(config.database === 'embedded' ? { DATABASE_URL: url } : {}),
      ...(config.kafka === 'embedded' ? { KAFKA_BROKERS: kafka.servers?.brokers.join(',') ?? 'none' } : {}),
    };
    const group = await startProcessGroup({ count: config.processes, env: embedded, log });
    lifecycle.onStop('processes', () => group.stop());
    const facts = group.facts as unknown as RunningFacts;
    return { ...facts, kafkaProblem: kafka.problem, stopped: lifecycle.stopped, stop: async () => void (await lifecycle.stop('asked to')) };
  } catch (error) {
    await lifecycle.stop('the start failed');
    throw error;
  }
}

async function start(config: Config, log: Log, lifecycle: Lifecycle, member: GroupMember | undefined): Promise<RunningRescind> {
  const metrics = createMetrics({ processMetrics: true, ...(member ? { member } : {}) });
  metrics.observed('rescind_build_info', 'The release that runs; always 1.', ['version'], () => [[{ version: VERSION }, 1]]);
  const health = createHealth({ stopping: lifecycle.stopping, onReport: createReadinessMetrics(metrics) });
  member?.onDump(async () => {
    await health.report(); // So that `rescind_ready` is of now.
    return metrics.dump();
  });
  const watchPool = createPoolMetrics(metrics);
  await mkdir(config.home, { recursive: true, mode: 0o700 });
  const [url, kafka] = await Promise.all([startDatabase(config, log, lifecycle), startKafka(config, log, lifecycle)]);

  const pool = createPool({ url, max: config.databasePoolMax, applicationName: 'rescind', onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost') });
  lifecycle.onStop('database pool', () => pool.end());
  watchPool('requests', pool);
  await checkServer(pool);
  await runMigrations({ url, migrations: MIGRATIONS });
  // Before anything is read from this database or written to it: the first start would write.
  await passFence({ config, log, metrics, health, lifecycle, pool }, kafka.servers);

  const tracing = startTracing(config, { metrics, log, lifecycle });
  const controlLog = traceCommits(createControlLog({ pool }), tracing);
  const confirmations = createConfirmationKeeper({ pool, log });
  lifecycle.onStop('confirmations', () => confirmations.stop());
  const followed = createControlFollower({ url, controlLog, log, serves: config.roles.has('serve'), leaseMs: config.leaseMs, onSettled: confirmations.keep });
  const follower = traceWaits(measureFollower(followed, metrics), tracing);
  lifecycle.onStop('control log', () => follower.stop());
  await follower.start();
  lifecycle.onStop('control snapshots', keepSnapshots({ pool, state: follower.state, log }));
  const admin = await bootstrap({ home: config.home, controlLog, follower });

  const parts: Parts = { config, log, metrics, tracing, health, lifecycle, pool, watchPool, controlLog, follower };
  const topics = kafka.servers && createTopicMaker(createKafka({ ...kafka.servers, clientId: 'rescind-registry', log }));
  if (topics) lifecycle.onStop('topic maker', () => topics.stop());
  const registry = createRegistry({ controlLog, follower, ...(topics ? { createTopic: topics.create } : {}) });
  const authenticate = createAuthenticator({ state: () => follower.state });
  if (config.roles.has('feed') && kafka.servers) startTopicFeeds(parts, url, kafka.servers);
  let ingest: Ingest | undefined;
  const onCounts: OnCounts = async (counts) => ingest!.appender.submit({ events: [], own: counts.map((count) => countedEvent(follower, count)) });
  const partitions: SourceSight['partitions'] = async (asker) => (await ingest?.parts.partitions?.list({ ...asker, operator: false })) ?? null;
  const serving = config.roles.has('serve') ? startServing(parts, authenticate, config.roles.has('ingest') ? { onCounts } : {}, partitions) : undefined;
  if (config.roles.has('ingest')) ingest = await startIngest(parts, url, kafka.servers, authenticate);
  if (serving) lifecycle.onStop('introspection counts', () => serving.introspection.stop());

  health.register('database', async () => void (await pool.query('SELECT 1')));
  if (serving) health.register('serving', () => refuseWhen(follower.notCurrentReason(), 'no-lease'));
  const app = await createHttpApp({
    module: AppModule.with({
      platform: { config, log, metrics, health, lifecycle },
      registry: { registry, authenticate },
      ingest: ingest?.parts,
      serving,
    }),
    listen: config.listen,
    hot: serving?.hot ?? new Map<string, HotHandler>(),
    bodies: BODIES,
    log,
    metrics,
    tracing,
  });
  lifecycle.onStop('http', () => app.close());
  // Guards go on under their grants, and hear of what is ordered, until the last one has ended; a server waits for its streams.
  if (serving?.feeds) lifecycle.onStop('feeds', serving.feeds.stop);
  if (serving) describeApi(app, { version: VERSION });
  const address = await listenHttp(app, config.listen);
  log.info({ url: address, roles: [...config.roles], version: VERSION }, 'listening');

  return {
    url: address,
    adminKey: await readKey(join(config.home, ADMIN_KEY_FILE)),
    adminKeyPath: admin.path,
    firstStart: admin.created,
    brokers: kafka.servers?.brokers ?? null,
    kafkaProblem: kafka.problem,
    stopped: lifecycle.stopped,
    stop: async () => void (await lifecycle.stop('asked to')),
  };
}

export interface RestoreOptions {
  readonly log: Log;
  readonly onProgress?: (seq: bigint) => void;
}

/** Brings the database's control log up to what was published; starts only what is embedded. Rejects with a `RescindError`. */
export async function restoreFromTopic(config: Config, { log, onProgress }: RestoreOptions): Promise<Restored> {
  const lifecycle = createLifecycle(log);
  try {
    await mkdir(config.home, { recursive: true, mode: 0o700 });
    const [url, { servers, problem }] = await Promise.all([startDatabase(config, log, lifecycle), startKafka(config, log, lifecycle)]);
    if (!servers) throw new RescindError('kafka-unavailable', problem === undefined ? {} : { detail: problem });
    const pool = createPool({ url, max: RESTORE_CONNECTIONS, applicationName: 'rescind-restore', onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost') });
    lifecycle.onStop('database pool', () => pool.end());
    await checkServer(pool);
    await runMigrations({ url, migrations: MIGRATIONS });
    return await restoreControlLog({ kafka: createKafka({ ...servers, clientId: 'rescind-restore', log }), pool, prefix: config.topicPrefix, ...(onProgress ? { onProgress } : {}) });
  } finally {
    await lifecycle.stop('restored');
  }
}

/** Waits until the database is the one that was published; meanwhile the address says that this process is not ready. */
async function passFence(parts: Pick<Parts, 'config' | 'log' | 'metrics' | 'health' | 'lifecycle' | 'pool'>, servers: KafkaServers | null): Promise<void> {
  const { config, log, metrics, health, lifecycle, pool } = parts;
  if (!servers || config.controlFence === 'off') return;
  const fence = createControlFence({ kafka: createKafka({ ...servers, clientId: 'rescind-fence', log, retry: { retries: 1 } }), pool, prefix: config.topicPrefix });
  let problem = await fence.check();
  health.register('control-fence', () => {
    if (problem) throw problem;
  });
  const server = problem && (await listenUnready({ listen: config.listen, health, metrics, reason: () => new RescindError(problem?.code ?? 'shutting-down') }));
  let saidAt = -Infinity;
  while (problem && !lifecycle.stopping.aborted) {
    if (performance.now() - saidAt >= FENCE_REMINDER_MS) {
      log.error({ url: server?.url, code: problem.code, detail: problem.detail }, 'this process does not begin: it cannot tell that the database is the current one');
      saidAt = performance.now();
    }
    await delay(FENCE_RETRY_MS, undefined, { signal: lifecycle.stopping }).catch(() => undefined);
    problem = await fence.check();
  }
  await Promise.all([server?.close(), fence.stop()]);
  if (lifecycle.stopping.aborted) throw new RescindError('shutting-down');
}

function startTopicFeeds(parts: Parts, url: string, servers: KafkaServers): void {
  const { config, log, metrics, health, lifecycle, controlLog, follower } = parts;
  if (servers.security?.tls === undefined && !servers.brokers.every((broker) => isLoopback(broker.slice(0, broker.lastIndexOf(':'))))) {
    log.warn('the control log, with the keys of tenants, goes to Kafka in plaintext: set KAFKA_TLS=true, or protect the network otherwise');
  }
  const pool = createPool({ url, max: TOPIC_FEEDS_CONNECTIONS, applicationName: 'rescind-topics', onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost') });
  lifecycle.onStop('topic feeds pool', () => pool.end());
  parts.watchPool('topics', pool);
  const kafka = createKafka({ ...servers, clientId: 'rescind-topics', log });
  const feeds = createTopicFeeds({ kafka, pool, controlLog, follower, log, metrics, prefix: config.topicPrefix });
  lifecycle.onStop('topic feeds', () => feeds.stop());
  feeds.start();
  if (config.controlFence === 'on') health.register('topic-feeds', () => refuseWhen(feeds.notReadyReason(), 'control-log-behind'));
}

function startServing(
  parts: Parts,
  authenticate: ReturnType<typeof createAuthenticator>,
  counting: { readonly onCounts?: OnCounts },
  partitions: NonNullable<SourceSight['partitions']>,
) {
  const { config, log, metrics, lifecycle, pool, controlLog, follower } = parts;
  const keySets = createKeySets({ state: follower.state, log, allowedHosts: config.jwksAllowedHosts });
  lifecycle.onStop('key sets', () => keySets.stop());
  const lineage = createLineageReader({ pool });
  const remoteAddress = createRemoteAddress(config.listen);
  const introspection = createIntrospection({ follower, authenticate, keySets, lineage, metrics, log, remoteAddress, ...counting });
  const revocations = createRevocations({ controlLog, follower, pool });
  const revoke = createRevokeHandler({ authenticate, revocations, verifier: introspection.verifier, lineage, follower, log, metrics, remoteAddress });
  // The guard has let in a whole caller, of which questions know the tenant alone.
  const previewOrder: PreviewOrder = (caller, order) => revocations.preview(caller as Caller, order, 'quick');
  const usableKeys = async (id: string): Promise<number> => {
    const source = follower.state.source(id)!;
    const fitting = await Promise.all(source.profile.algorithms.map((alg) => keySets.find(source, { alg })));
    return new Set(fitting.flat()).size;
  };
  const questions = createQuestions({ pool, control: () => follower.state, previewOrder, sight: { partitions, usableKeys } });
  const { sight } = introspection;
  const feeds: Feeds | undefined = config.roles.has('feed')
    ? createFeeds({ follower, authenticate, sight, keysVersion: () => keySets.version, metrics, log, remoteAddress })
    : undefined;
  const hot = new Map<string, HotHandler>([['/introspect', introspection.handle], ['/revoke', revoke], ...(feeds?.handlers ?? [])]);
  return { questions, revocations, introspection, feeds, hot };
}

function countedEvent({ state }: ControlFollower, { tenant, data }: TenantCount): OwnEvent<'introspection.counted'> {
  return { tenant: state.tenant(tenant)!, name: 'introspection.counted', id: randomUUID(), timeMs: data.to * 1000, data };
}

interface Ingest {
  readonly appender: Appender;
  readonly parts: IngestParts;
}

async function startIngest(
  parts: Parts,
  url: string,
  servers: KafkaServers | null,
  authenticate: ReturnType<typeof createAuthenticator>,
): Promise<Ingest> {
  const { log, metrics, health, lifecycle, controlLog, follower } = parts;
  const pool = createPool({
    url,
    max: APPENDER_CONNECTIONS,
    applicationName: APPENDER_NAME,
    timeouts: APPENDER_TIMEOUTS,
    onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost'),
  });
  lifecycle.onStop('ingest pool', () => pool.end());
  parts.watchPool('ingest', pool);
  lifecycle.onStop('stuck sessions', endStuckSessions({ pool: parts.pool, applicationName: APPENDER_NAME, olderThanMs: APPENDER_TIMEOUTS.transactionMs, log }));
  const kafka = servers && createKafka({ ...servers, clientId: APPENDER_NAME, log });
  const notices = kafka && createQuarantineTopic({ kafka, log, metrics });
  if (notices) lifecycle.onStop('quarantine topic', () => notices.stop());
  const quarantine = keepQuarantineBounded({ pool: parts.pool, log, metrics });
  lifecycle.onStop('quarantine', quarantine.stop);
  const appender = traceBatches(
    createAppender({
      pool,
      controlLog,
      follower,
      log,
      metrics,
      onRefused(refused) {
        notices?.tell(refused);
        quarantine.tell(refused);
      },
    }),
    parts.tracing,
  );
  lifecycle.onStop('appender', () => appender.stop());
  await appender.start();
  const offsets = createOffsetStore({ pool });
  const bounds = kafka && createLogBoundsReader({ kafka });
  if (bounds) lifecycle.onStop('log bounds', () => bounds.stop());
  const ruleQuota = createRuleQuota({ state: follower.state, metrics });
  const ingest: IngestParts = {
    intake: createIntake({ follower, appender, ruleQuota }),
    door: createDoor({ authenticate, metrics }),
    replay: createReplay({ pool: parts.pool, follower, appender, log }),
    partitions: bounds ? createPartitions({ offsets: createOffsetStore({ pool: parts.pool }), bounds, follower, appender, log }) : undefined,
    isOperator: ({ tenant }) => follower.state.tenant(tenant)?.name === DEFAULT_TENANT,
  };
  if (!kafka) return { appender, parts: ingest };

  const groupId = `rescind-${follower.state.tenantByName(DEFAULT_TENANT)!.id}`;
  const consumer = createKafkaConsumer({ kafka, groupId, follower, appender, ruleQuota, offsets, log, metrics });
  lifecycle.onStop('Kafka consumer', () => consumer.stop());
  await consumer.start();
  health.register('kafka', () => refuseWhen(consumer.notReadyReason(), 'kafka-unavailable'));
  return { appender, parts: ingest };
}

function startTracing(config: Config, { metrics, log, lifecycle }: Pick<Parts, 'metrics' | 'log' | 'lifecycle'>): Tracing | undefined {
  if (config.tracing === undefined) return undefined;
  const { ratio, ...collector } = config.tracing;
  const tracing = createTracing({ sink: createOtlpSink({ ...collector, version: VERSION, metrics, log }), ratio });
  lifecycle.onStop('traces', () => tracing.stop());
  return tracing;
}

function traceCommits(controlLog: ControlLog, tracing: Tracing | undefined): ControlLog {
  if (tracing === undefined) return controlLog;
  return { ...controlLog, append: (...command) => tracing.span('control.commit', {}, () => controlLog.append(...command)) };
}

function traceWaits(follower: ControlFollower, tracing: Tracing | undefined): ControlFollower {
  if (tracing === undefined) return follower;
  const whenInForce: ControlFollower['whenInForce'] = (seq, tenant) =>
    tracing.span('control.when-in-force', { 'rescind.control.seq': Number(seq) }, () => follower.whenInForce(seq, tenant));
  return withWait(follower, whenInForce);
}

function traceBatches(appender: Appender, tracing: Tracing | undefined): Appender {
  if (tracing === undefined) return appender;
  return {
    ...appender,
    submit: (submission) => tracing.span('ingest.submit', { 'rescind.events': submission.events.length }, () => appender.submit(submission)),
  };
}

function refuseWhen(reason: string | undefined, code: 'no-lease' | 'kafka-unavailable' | 'control-log-behind'): void {
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
