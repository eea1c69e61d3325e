import { mkdir } from 'node:fs/promises';
import {
  createConfirmationKeeper,
  createControlFollower,
  createControlLog,
  keepSnapshots,
  measureFollower,
  type LastUses,
} from '../control/index.js';
import { createTopicKeys } from '../feeds/index.js';
import type { Config } from '../platform/config/index.js';
import { startDatabase, startKafka } from '../platform/embedded/index.js';
import { createHealth, createMetrics, READY_ROLES } from '../platform/observe/index.js';
import { checkServer, createCancellingPool, createLeaving, createPool, type Pool } from '../platform/postgres/index.js';
import { createPoolMetrics, createReadinessMetrics, type Lifecycle } from '../platform/process/index.js';
import { lastUsesOf } from '../projections/index.js';
import { bootstrap, createAuthenticator } from '../registry/index.js';
import { passFences } from './database/fences.js';
import { refuseReplaced } from './not-ready.js';
import { VERSION, type Parts, type StartOptions } from './parts.js';
import { prepareSchema } from './database/schema.js';
import { startTracing, traceCommits, traceWaits } from './traced.js';

/** A question, and the preview of the rule that its answer proposes. */
const CONNECTIONS_A_QUESTION = 2;

export interface Foundation {
  readonly parts: Parts;
  readonly topicKeys: ReturnType<typeof createTopicKeys>;
  /** The administrator's key: its file, and whether this start made it. */
  readonly admin: Awaited<ReturnType<typeof bootstrap>>;
  /** Why there is no Kafka, for people. */
  readonly kafkaProblem: string | undefined;
}

/** Starts what every role stands on, in order: metrics, servers, database, control log, its follower, the administrator. */
export async function layFoundation(
  config: Config,
  { log, member, say, orderWaits }: StartOptions,
  lifecycle: Lifecycle,
): Promise<Foundation> {
  const metrics = createMetrics({ processMetrics: true, ...(member ? { member } : {}) });
  metrics.observed('rescind_build_info', 'The release that runs; always 1.', ['version'], () => [
    [{ version: VERSION }, 1],
  ]);
  const health = createHealth({
    stopping: lifecycle.stopping,
    roles: READY_ROLES.filter((role) => config.roles.has(role)),
  });
  createReadinessMetrics(metrics, health);
  member?.onDump(() => metrics.dump());
  const watchPool = createPoolMetrics(metrics);
  await mkdir(config.home, { recursive: true, mode: 0o700 });
  const [url, { servers, problem }] = await Promise.all([
    startDatabase(config, log, lifecycle, say),
    startKafka(config, log, lifecycle, say),
  ]);

  const onIdleError = (err: Error): void => log.warn({ err }, 'an idle database connection was lost');
  const pool = createPool({ url, max: config.databasePoolMax, applicationName: 'rescind', onIdleError });
  lifecycle.onStop('database pool', () => pool.end());
  watchPool('decisions', pool);
  const leaving = createLeaving();
  const questionPool = createCancellingPool({
    url,
    max: CONNECTIONS_A_QUESTION * config.questionsAtOnce,
    applicationName: 'rescind-questions',
    onIdleError,
    leaving,
    canceller: pool,
  });
  lifecycle.onStop('questions pool', () => questionPool.end());
  watchPool('questions', questionPool);
  await checkServer(pool);
  await prepareSchema(config, url);
  // Before anything is read from this database or written to it: the first start would write.
  const topicKeys = createTopicKeys({ pool, home: config.home, configured: config.controlTopicKey });
  await passFences({
    config,
    servers,
    log,
    metrics,
    health,
    stopping: lifecycle.stopping,
    pool,
    keys: topicKeys,
    announces: member === undefined,
  });

  const tracing = startTracing(config, { metrics, log, lifecycle });
  const replaceable = traceCommits(createControlLog({ pool }), tracing);
  const confirmations = createConfirmationKeeper({ pool, log });
  lifecycle.onStop('confirmations', () => confirmations.stop());
  const followed = createControlFollower({
    url,
    controlLog: replaceable,
    log,
    serves: config.roles.has('serve'),
    leaseMs: config.leaseMs,
    onSettled: confirmations.keep,
  });
  const follower = traceWaits(measureFollower(followed, metrics), tracing);
  const controlLog = refuseReplaced(replaceable, follower);
  lifecycle.onStop('control log', () => follower.stop());
  await follower.start();
  lifecycle.onStop(
    'control snapshots',
    keepSnapshots({ pool, state: follower.state, log, lastUses: readLastUses(pool) }),
  );
  const admin = await bootstrap({ home: config.home, controlLog, follower });
  const authenticate = createAuthenticator({ state: () => follower.state });

  const parts = {
    config,
    url,
    servers,
    log,
    metrics,
    tracing,
    health,
    lifecycle,
    pool,
    questionPool,
    leaving,
    watchPool,
    controlLog,
    follower,
    authenticate,
    orderWaits,
  };
  return { parts, topicKeys, admin, kafkaProblem: problem };
}

const readLastUses =
  (pool: Pool): LastUses =>
  (tenant, rules) =>
    lastUsesOf(
      async (sql, values = []) =>
        (await pool.query(typeof sql === 'string' ? sql : sql.text, [tenant, ...values])).rows as never,
      rules,
    );
