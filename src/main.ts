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
import { createConfirmationKeeper, createControlFollower, createControlLog, keepSnapshots, measureFollower, withWait, type Caller, type ControlFollower, type ControlLog, type LastUses } from './control/index.js';
import { createFeeds, createTopicFeeds, createTopicKeys, passControlFence, restoreControlLog, type Feeds, type Restored } from './feeds/index.js';
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
  createSeenTokenRecorder,
  createTopicMaker,
  keepQuarantineBounded,
  type Appender,
  type AppenderOptions,
  type IngestParts,
  type OwnEvent,
} from './ingest/index.js';
import { AUTHORIZE_REQUEST_PATH, createIntrospection, createRefusedTokenWriter, createRemoteAddress, type OnCounts, type OnSeen, type TenantCount } from './introspection/index.js';
import { MIGRATIONS } from './migrations.js';
import { isLoopback, readAuthorities, type Config } from './platform/config/index.js';
import { startDatabase, startKafka, type KafkaServers, type Say } from './platform/embedded/index.js';
import { startProcessGroup, type GroupMember } from './platform/group/index.js';
import { createHttpApp, createManagement, listenHttp, listenManagement, type HotHandler } from './platform/http/index.js';
import { createKafka } from './platform/kafka/index.js';
import { type Log } from './platform/log/index.js';
import { createHealth, createMetrics, createOtlpSink, createTracing, READY_ROLES, type Health, type Metrics, type Tracing } from './platform/observe/index.js';
import { checkServer, createCancellingPool, createLeaving, createPool, endStuckSessions, requireMigrated, runMigrations, type Leaving, type Pool, type SessionTimeouts } from './platform/postgres/index.js';
import { announceInstance, createLifecycle, createPoolMetrics, createReadinessMetrics, STOP_DEADLINE_MS, type Lifecycle } from './platform/process/index.js';
import { createLineageReader, lastUsesOf } from './projections/index.js';
import { createQuestions, CSV_MEDIA_TYPE, describeApi, REPORTS_AT_ONCE, type PreviewOrder, type SourceSight } from './query/index.js';
import { ADMIN_KEY_FILE, bootstrap, createAdmission, createAuthenticator, createKeySets, createRegistry, DEFAULT_TENANT } from './registry/index.js';
import { createRevocations, createRevokeHandler, type Waits } from './revocation/index.js';

export const VERSION = '0.1.0';

/** A question, and the preview of the rule that its answer proposes. */
const CONNECTIONS_A_QUESTION = 2;

/** The appender's own connections: its transaction, and reads beside it. */
const APPENDER_CONNECTIONS = 3;

const APPENDER_NAME = 'rescind-ingest';

/** A batch takes milliseconds. One whose process has stopped keeps the ledgers' heads from the others no longer than its transaction may last. */
const APPENDER_TIMEOUTS: SessionTimeouts = { statementMs: 20_000, lockMs: 20_000, idleInTransactionMs: 5_000, transactionMs: 20_000 };

/** The data of an event in binary mode (CloudEvents JSON format, section 3.1). */
const OTHER_JSON = /^[^/;]+\/(?:json|[^/;]+\+json)(?:\s*;|$)/i;

/** A little beyond the largest batch, so that the intake itself can say which limit was passed. */
const BODIES = {
  mediaTypes: [CLOUDEVENTS_MEDIA_TYPE, CLOUDEVENTS_BATCH_MEDIA_TYPE, NDJSON_MEDIA_TYPE, JSON_MEDIA_TYPE, CSV_MEDIA_TYPE, OTHER_JSON],
  limitBytes: MAX_POST_BYTES + 64 * 1024,
};

/** The session that holds the right to publish, and reads beside it. */
const TOPIC_FEEDS_CONNECTIONS = 2;

/** One transaction at a time. */
const RESTORE_CONNECTIONS = 2;

/** A node leaves when its guards' grants have ended: within its lease. */
const LEAVING_MARGIN_MS = 500;
/** Milliseconds that a start that was stopped may still take to notice it. */
const ABORTED_START_MS = 500;
const STOPPED = Symbol('stopped');

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
  /** Why it stopped by itself; undefined if it was asked to. */
  failure(): RescindError | undefined;
  stop(): Promise<void>;
}

interface StartOptions {
  readonly log: Log;
  /** SIGINT and SIGTERM begin a stop. */
  readonly signals?: boolean;
  /** Where this process shares its port with others. */
  readonly member?: GroupMember;
  /** Ends a start that is under way; later it does nothing. */
  readonly abortStart?: AbortSignal;
  /** Takes a line when an embedded service ended by itself and when it runs again. Default: the log. */
  readonly say?: Say;
  /** How long counting may hold up an order or its answer; the folder `revocation` has the default. */
  readonly orderWaits?: Waits | undefined;
}

interface Parts extends Pick<StartOptions, 'orderWaits'> {
  readonly config: Config;
  /** URL of the database. */
  readonly url: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
  readonly health: Health;
  readonly lifecycle: Lifecycle;
  /** For decisions: the control log, recorded facts, orders. No reader's question waits for it or keeps it waiting. */
  readonly pool: Pool;
  readonly questionPool: Pool;
  readonly leaving: Leaving;
  readonly watchPool: (name: string, pool: Pool) => void;
  readonly controlLog: ControlLog;
  readonly follower: ControlFollower;
}

/**
 * Starts the roles of one process in order, and stops them in the reverse one. Rejects with a `RescindError` that says
 * what to do; then everything that it had started is stopped again.
 */
export async function startRescind(config: Config, options: StartOptions): Promise<RunningRescind> {
  const lifecycle = createLifecycle(options.log);
  options.member?.onStop(() => void lifecycle.stop('its group ends'));
  return startWith(config, options, lifecycle, () => start(config, options, lifecycle));
}

/** A stop that begins meanwhile ends the start: what it has started is stopped, and nothing more is. */
async function startWith(config: Config, { signals = false, abortStart }: StartOptions, lifecycle: Lifecycle, starting: () => Promise<RunningRescind>): Promise<RunningRescind> {
  if (signals) lifecycle.ownProcess({ exit: () => process.exit(1), deadlineMs: Math.max(STOP_DEADLINE_MS, config.leaseMs + LEAVING_MARGIN_MS) });
  const onAbort = (): void => void lifecycle.stop('asked to');
  abortStart?.addEventListener('abort', onAbort);
  try {
    return await unlessStopped(lifecycle, starting());
  } catch (cause) {
    // An error that a start meets because its parts are stopped under it is no reason.
    const error = lifecycle.stopping.aborted ? new RescindError('shutting-down', { cause }) : cause;
    await lifecycle.stop('the start failed');
    throw lifecycle.failure ?? error;
  } finally {
    abortStart?.removeEventListener('abort', onAbort);
  }
}

/** A start may wait for what does not come, such as a database that is away. */
async function unlessStopped<T>(lifecycle: Lifecycle, starting: Promise<T>): Promise<T> {
  const stopped = lifecycle.stopped.then(() => delay(ABORTED_START_MS, undefined, { ref: false }));
  const first = await Promise.race([starting, stopped.then(() => STOPPED)]);
  if (first !== STOPPED && !lifecycle.stopping.aborted) return first as T;
  starting.catch(() => undefined);
  throw new RescindError('shutting-down');
}

/**
 * Starts as many processes as the configuration wants, which share one port; each is a node. The embedded services are this
 * process's own, which serves nothing itself. Rejects as {@link startRescind} does.
 */
export async function startRescindGroup(config: Config, options: Omit<StartOptions, 'member'>): Promise<RunningRescind> {
  const lifecycle = createLifecycle(options.log);
  return startWith(config, options, lifecycle, () => startGroup(config, options, lifecycle));
}

async function startGroup(config: Config, { log, say }: StartOptions, lifecycle: Lifecycle): Promise<RunningRescind> {
  await mkdir(config.home, { recursive: true, mode: 0o700 });
  const [url, kafka] = await Promise.all([startDatabase(config, log, lifecycle, say), startKafka(config, log, lifecycle, say)]);
  const embedded = {
    ...(config.database === 'embedded' ? { DATABASE_URL: url } : {}),
    ...(config.kafka === 'embedded' ? { KAFKA_BROKERS: kafka.servers?.brokers.join(',') ?? 'none' } : {}),
  };
  const group = await startProcessGroup({ count: config.processes, env: embedded, log, signal: lifecycle.stopping });
  lifecycle.onStop('processes', () => group.stop());
  const facts = group.facts as unknown as RunningFacts;
  lifecycle.onStop('instance file', await announceInstance({ home: config.home, url: facts.url, log }));
  return { ...facts, kafkaProblem: kafka.problem, ...endOf(lifecycle) };
}

const endOf = (lifecycle: Lifecycle): Pick<RunningRescind, 'stopped' | 'failure' | 'stop'> => ({
  stopped: lifecycle.stopped,
  failure: () => lifecycle.failure,
  stop: async () => void (await lifecycle.stop('asked to')),
});

async function start(config: Config, { log, member, say, orderWaits }: StartOptions, lifecycle: Lifecycle): Promise<RunningRescind> {
  const metrics = createMetrics({ processMetrics: true, ...(member ? { member } : {}) });
  metrics.observed('rescind_build_info', 'The release that runs; always 1.', ['version'], () => [[{ version: VERSION }, 1]]);
  const health = createHealth({ stopping: lifecycle.stopping, roles: READY_ROLES.filter((role) => config.roles.has(role)) });
  createReadinessMetrics(metrics, health);
  member?.onDump(() => metrics.dump());
  const watchPool = createPoolMetrics(metrics);
  await mkdir(config.home, { recursive: true, mode: 0o700 });
  const [url, kafka] = await Promise.all([startDatabase(config, log, lifecycle, say), startKafka(config, log, lifecycle, say)]);

  const onIdleError = (err: Error): void => log.warn({ err }, 'an idle database connection was lost');
  const pool = createPool({ url, max: config.databasePoolMax, applicationName: 'rescind', onIdleError });
  lifecycle.onStop('database pool', () => pool.end());
  watchPool('decisions', pool);
  const leaving = createLeaving();
  const questionPool = createCancellingPool({ url, max: CONNECTIONS_A_QUESTION * config.questionsAtOnce, applicationName: 'rescind-questions', onIdleError, leaving, canceller: pool });
  lifecycle.onStop('questions pool', () => questionPool.end());
  watchPool('questions', questionPool);
  await checkServer(pool);
  await prepareSchema(config, url);
  // Before anything is read from this database or written to it: the first start would write.
  const topicKeys = createTopicKeys({ pool, home: config.home, configured: config.controlTopicKey });
  if (kafka.servers) await passControlFence({ config, servers: kafka.servers, log, metrics, health, stopping: lifecycle.stopping, pool, keys: topicKeys, announces: member === undefined });

  const tracing = startTracing(config, { metrics, log, lifecycle });
  const controlLog = traceCommits(createControlLog({ pool }), tracing);
  const confirmations = createConfirmationKeeper({ pool, log });
  lifecycle.onStop('confirmations', () => confirmations.stop());
  const followed = createControlFollower({ url, controlLog, log, serves: config.roles.has('serve'), leaseMs: config.leaseMs, onSettled: confirmations.keep });
  const follower = traceWaits(measureFollower(followed, metrics), tracing);
  lifecycle.onStop('control log', () => follower.stop());
  await follower.start();
  lifecycle.onStop('control snapshots', keepSnapshots({ pool, state: follower.state, log, lastUses: readLastUses(pool) }));
  const admin = await bootstrap({ home: config.home, controlLog, follower });

  const parts: Parts = { config, url, log, metrics, tracing, health, lifecycle, pool, questionPool, leaving, watchPool, controlLog, follower, orderWaits };
  const topics = kafka.servers && createTopicMaker(createKafka({ ...kafka.servers, clientId: 'rescind-registry', log }));
  if (topics) lifecycle.onStop('topic maker', () => topics.stop());
  const registry = createRegistry({ controlLog, follower, jwksAllowedHosts: config.jwksAllowedHosts, ...(topics ? { createTopic: topics.create } : {}) });
  const authenticate = createAuthenticator({ state: () => follower.state });
  if (config.roles.has('feed') && kafka.servers) startTopicFeeds(parts, kafka.servers, await topicKeys.ensure());
  let ingest: Ingest | undefined;
  const onCounts: OnCounts = async (counts) => ingest!.appender.submit({ events: [], own: counts.map((count) => countedEvent(follower, count)) });
  // A process that takes no events writes those of its own alone.
  const ownAppender = config.roles.has('serve') && !config.roles.has('ingest') ? createOwnAppender(parts, { paysOwed: false }).appender : undefined;
  const onSeen = createSeenTokenRecorder({ state: follower.state, appender: { submit: (submission) => (ownAppender ?? ingest!.appender).submit(submission) } });
  const partitions: SourceSight['partitions'] = async (asker) => (await ingest?.parts.partitions?.list({ ...asker, operator: false })) ?? null;
  const serving = config.roles.has('serve') ? startServing(parts, authenticate, { onSeen, ...(config.roles.has('ingest') ? { onCounts } : {}) }, partitions) : undefined;
  if (config.roles.has('ingest')) ingest = await startIngest(parts, kafka.servers, authenticate);
  if (serving) lifecycle.onStop('introspection counts', () => serving.introspection.stop());

  await health.watch('database', async () => void (await pool.query('SELECT 1')));
  if (serving) health.register('serving', () => refuseWhen(follower.notCurrentReason(), 'no-lease'), ['serve']);
  const management = createManagement({ health, metrics });
  const app = await createHttpApp({
    module: AppModule.with({
      platform: { config, log, metrics, health, lifecycle },
      registry: { registry, authenticate },
      ingest: ingest?.parts,
      serving,
    }),
    listen: config.listen,
    hot: new Map([...management, ...(serving?.hot ?? [])].filter(([path]) => path !== '/metrics' || config.management === undefined)),
    gate: createAdmission({ authenticate, leaving, metrics, questionsAtOnce: config.questionsAtOnce }),
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
  if (config.management) {
    const managed = await listenManagement(config.management, management);
    lifecycle.onStop('management listener', managed.close);
    log.info({ url: managed.url }, 'listening for /health and /metrics');
  }
  // A group's holder does so for its members.
  if (!member) lifecycle.onStop('instance file', await announceInstance({ home: config.home, url: address, log }));
  log.info({ url: address, roles: [...config.roles], version: VERSION }, 'listening');

  return {
    url: address,
    adminKey: await readKey(join(config.home, ADMIN_KEY_FILE)),
    adminKeyPath: admin.path,
    firstStart: admin.created,
    brokers: kafka.servers?.brokers ?? null,
    kafkaProblem: kafka.problem,
    ...endOf(lifecycle),
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
    await prepareSchema(config, url);
    const keys = createTopicKeys({ pool, home: config.home, configured: config.controlTopicKey });
    return await restoreControlLog({ kafka: createKafka({ ...servers, clientId: 'rescind-restore', log }), pool, keys, prefix: config.topicPrefix, ...(onProgress ? { onProgress } : {}) });
  } finally {
    await lifecycle.stop('restored');
  }
}

/** Migrates the database, or refuses one that somebody else is to migrate and has not. */
async function prepareSchema(config: Config, url: string): Promise<void> {
  await (config.migrations === 'auto' ? runMigrations : requireMigrated)({ url, migrations: MIGRATIONS });
}

function startTopicFeeds(parts: Parts, servers: KafkaServers, key: Buffer): void {
  const { config, url, log, metrics, health, lifecycle, controlLog, follower } = parts;
  if (servers.security?.tls === undefined && !servers.brokers.every((broker) => isLoopback(broker.slice(0, broker.lastIndexOf(':'))))) {
    log.warn('revocations go to Kafka in plaintext: set KAFKA_TLS=true, or protect the network otherwise');
  }
  const pool = createPool({ url, max: TOPIC_FEEDS_CONNECTIONS, applicationName: 'rescind-topics', onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost') });
  lifecycle.onStop('topic feeds pool', () => pool.end());
  parts.watchPool('topics', pool);
  const kafka = createKafka({ ...servers, clientId: 'rescind-topics', log });
  const feeds = createTopicFeeds({ kafka, key, pool, controlLog, follower, log, metrics, prefix: config.topicPrefix });
  lifecycle.onStop('topic feeds', () => feeds.stop());
  feeds.start();
  if (config.controlFence === 'on') health.register('topic-feeds', () => refuseWhen(feeds.notReadyReason(), 'control-log-behind'));
}

function startServing(
  parts: Parts,
  authenticate: ReturnType<typeof createAuthenticator>,
  told: { readonly onCounts?: OnCounts; readonly onSeen?: OnSeen },
  partitions: NonNullable<SourceSight['partitions']>,
) {
  const { config, url, log, metrics, lifecycle, pool, questionPool, leaving, controlLog, follower, orderWaits } = parts;
  const keySets = createKeySets({ state: follower.state, log, allowedHosts: config.jwksAllowedHosts, ca: readAuthorities('JWKS_TLS_CA', config.jwksCaFile) });
  lifecycle.onStop('key sets', () => keySets.stop());
  const lineage = createLineageReader({ pool });
  const remoteAddress = createRemoteAddress(config.listen);
  const introspection = createIntrospection({ follower, authenticate, keySets, lineage, metrics, log, remoteAddress, onRefused: createRefusedTokenWriter(pool), ...told });
  const revocations = createRevocations({ controlLog, follower, pool, questionPool, confirmShare: config.confirmShare, ...(orderWaits ? { waits: orderWaits } : {}) });
  const revoke = createRevokeHandler({ authenticate, revocations, verifier: introspection.verifier, lineage, follower, log, metrics, remoteAddress });
  // The guard has let in a whole caller, of which questions know the tenant alone.
  const previewOrder: PreviewOrder = (caller, order) => revocations.preview(caller as Caller, order);
  const usableKeys = async (id: string): Promise<number> => {
    const source = follower.state.source(id)!;
    const fitting = await Promise.all(source.profile.algorithms.map((alg) => keySets.find(source, { alg })));
    return new Set(fitting.flat()).size;
  };
  const reportPool = createCancellingPool({ url, max: REPORTS_AT_ONCE, applicationName: 'rescind-reports', onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost'), leaving, canceller: pool });
  lifecycle.onStop('reports pool', () => reportPool.end());
  parts.watchPool('reports', reportPool);
  const questions = createQuestions({ pool: questionPool, reportPool, leaving, control: () => follower.state, previewOrder, sight: { partitions, usableKeys, judge: introspection.judge } });
  const { sight, authorizeRequest } = introspection;
  const feeds: Feeds | undefined = config.roles.has('feed')
    ? createFeeds({ follower, authenticate, sight, keysVersion: () => keySets.version, metrics, log, remoteAddress })
    : undefined;
  const hot = new Map<string, HotHandler>([['/introspect', introspection.handle], ['/revoke', revoke], [AUTHORIZE_REQUEST_PATH, authorizeRequest], [`${AUTHORIZE_REQUEST_PATH}/*`, authorizeRequest], ...(feeds?.handlers ?? [])]);
  return { questions, revocations, introspection, feeds, hot };
}

const readLastUses =
  (pool: Pool): LastUses =>
  (tenant, rules) =>
    lastUsesOf(async (sql, values = []) => (await pool.query(typeof sql === 'string' ? sql : sql.text, [tenant, ...values])).rows as never, rules);

function countedEvent({ state }: ControlFollower, { tenant, data }: TenantCount): OwnEvent<'introspection.counted'> {
  return { tenant: state.tenant(tenant)!, name: 'introspection.counted', id: randomUUID(), timeMs: data.to * 1000, data };
}

interface Ingest {
  readonly appender: Appender;
  readonly parts: IngestParts;
}

/** The appender of this process and its pool; nothing is read or written before it is started or given something. */
function createOwnAppender(parts: Parts, over: Pick<AppenderOptions, 'paysOwed' | 'onRefused'>): { readonly appender: Appender; readonly pool: Pool } {
  const { url, log, metrics, lifecycle, controlLog, follower } = parts;
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
  const appender = traceBatches(createAppender({ pool, controlLog, follower, log, metrics, ...over }), parts.tracing);
  lifecycle.onStop('appender', () => appender.stop());
  return { appender, pool };
}

async function startIngest(
  parts: Parts,
  servers: KafkaServers | null,
  authenticate: ReturnType<typeof createAuthenticator>,
): Promise<Ingest> {
  const { log, metrics, health, lifecycle, follower } = parts;
  const kafka = servers && createKafka({ ...servers, clientId: APPENDER_NAME, log });
  const notices = kafka && createQuarantineTopic({ kafka, log, metrics });
  if (notices) lifecycle.onStop('quarantine topic', () => notices.stop());
  const quarantine = keepQuarantineBounded({ pool: parts.pool, log, metrics });
  lifecycle.onStop('quarantine', quarantine.stop);
  const { appender, pool } = createOwnAppender(parts, {
    onRefused(refused) {
      notices?.tell(refused);
      quarantine.tell(refused);
    },
  });
  await appender.start();
  const offsets = createOffsetStore({ pool });
  const bounds = kafka && createLogBoundsReader({ kafka });
  if (bounds) lifecycle.onStop('log bounds', () => bounds.stop());
  const ruleQuota = createRuleQuota({ state: follower.state, metrics });
  const ingest: IngestParts = {
    intake: createIntake({ follower, appender, ruleQuota }),
    door: createDoor({ authenticate, metrics }),
    replay: createReplay({ pool: parts.questionPool, follower, appender, log }),
    partitions: bounds ? createPartitions({ offsets: createOffsetStore({ pool: parts.questionPool }), bounds, follower, appender, log }) : undefined,
    isOperator: ({ tenant }) => follower.state.tenant(tenant)?.name === DEFAULT_TENANT,
  };
  if (!kafka) return { appender, parts: ingest };

  const groupId = `rescind-${follower.state.tenantByName(DEFAULT_TENANT)!.id}`;
  const consumer = createKafkaConsumer({ kafka, groupId, follower, appender, ruleQuota, offsets, log, metrics });
  lifecycle.onStop('Kafka consumer', () => consumer.stop());
  await consumer.start();
  health.register('kafka', () => refuseWhen(consumer.notReadyReason(), 'kafka-unavailable'), ['ingest']);
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
