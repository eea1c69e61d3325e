import {
  createAppender,
  createDoor,
  createIntake,
  createKafkaConsumer,
  createOffsetStore,
  createPartitions,
  createPublication,
  createQuarantineTopic,
  createReplay,
  createRuleQuota,
  createSignatures,
  keepQuarantineBounded,
  type Appender,
  type AppenderOptions,
  type IngestParts,
} from '../ingest/index.js';
import { createKafka } from '../platform/kafka/index.js';
import { createPool, endStuckSessions, type Pool, type SessionTimeouts } from '../platform/postgres/index.js';
import { DEFAULT_TENANT, type KeySets } from '../registry/index.js';
import { refuseWhen } from './not-ready.js';
import type { Parts } from './parts.js';
import { traceBatches } from './traced.js';

/** The appender's own connections: its transaction, and reads beside it. */
const APPENDER_CONNECTIONS = 3;

const APPENDER_NAME = 'rescind-ingest';

/** A batch takes milliseconds. A session whose process has stopped keeps the ledgers' heads from the others no longer than it may be idle. */
const APPENDER_TIMEOUTS: SessionTimeouts = {
  statementMs: 20_000,
  lockMs: 20_000,
  idleInTransactionMs: 5_000,
  transactionMs: 20_000,
};

export interface Ingest {
  readonly appender: Appender;
  readonly parts: IngestParts;
}

/** The appender of this process and its pool; nothing is read or written before it is started or given something. */
export function createOwnAppender(
  parts: Parts,
  over: Pick<AppenderOptions, 'paysOwed' | 'onRefused'>,
): { readonly appender: Appender; readonly pool: Pool } {
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
  lifecycle.onStop(
    'stuck sessions',
    endStuckSessions({
      pool: parts.pool,
      applicationName: APPENDER_NAME,
      olderThanMs: APPENDER_TIMEOUTS.idleInTransactionMs,
      log,
    }),
  );
  const appender = traceBatches(createAppender({ pool, controlLog, follower, log, metrics, ...over }), parts.tracing);
  lifecycle.onStop('appender', () => appender.stop());
  return { appender, pool };
}

/** Starts the role `ingest`: the HTTP intake, and the consumer where there is a Kafka. */
export async function startIngest(parts: Parts, keySets: KeySets): Promise<Ingest> {
  const { servers, log, metrics, health, lifecycle, follower, authenticate } = parts;
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
  const bounds = kafka && kafka.logBounds();
  if (bounds) lifecycle.onStop('log bounds', () => bounds.stop());
  const ruleQuota = createRuleQuota({ state: follower.state, metrics });
  const signatures = createSignatures({ pool, state: follower.state, keySets, appender });
  const ingest: IngestParts = {
    intake: createIntake({ follower, appender, ruleQuota, signatures }),
    door: createDoor({ authenticate, metrics }),
    publication: createPublication({ pool: parts.pool, questionPool: parts.questionPool, log }),
    replay: createReplay({ pool: parts.questionPool, follower, appender, signatures, log }),
    partitions: bounds
      ? createPartitions({ offsets: createOffsetStore({ pool: parts.questionPool }), bounds, follower, appender, log })
      : undefined,
    isOperator: ({ tenant }) => follower.state.tenant(tenant)?.name === DEFAULT_TENANT,
  };
  if (!kafka) return { appender, parts: ingest };

  const groupId = `rescind-${follower.state.tenantByName(DEFAULT_TENANT)!.id}`;
  const consumer = createKafkaConsumer({
    kafka,
    groupId,
    follower,
    appender,
    ruleQuota,
    signatures,
    offsets,
    log,
    metrics,
  });
  lifecycle.onStop('Kafka consumer', () => consumer.stop());
  await consumer.start();
  health.register('kafka', () => refuseWhen(consumer.notReadyReason(), 'kafka-unavailable'), ['ingest']);
  return { appender, parts: ingest };
}
