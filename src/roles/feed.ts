import { createFindingsFeed, createSiemFeed, createTopicFeeds } from '../feeds/index.js';
import { createFindings, createFindingsFollower, DETECTIONS } from '../findings/index.js';
import { isLoopback } from '../platform/config/index.js';
import type { KafkaServers } from '../platform/embedded/index.js';
import { createKafka } from '../platform/kafka/index.js';
import { createPool } from '../platform/postgres/index.js';
import { createAsk, type ColdUses } from '../projections/index.js';
import { createReader } from '../query/index.js';
import { refuseWhen } from './not-ready.js';
import type { Parts } from './parts.js';
import { newsOf } from './findings/news.js';

/** The session that holds the right to publish, and reads beside it. */
const TOPIC_FEEDS_CONNECTIONS = 2;

/** The session that holds the right to publish, and reads of the ledger beside it. */
const SIEM_CONNECTIONS = 2;

/** Starts the role `feed` towards Kafka: publishes the control log, sealed with `key`. */
export function startTopicFeeds(parts: Parts, servers: KafkaServers, key: Buffer): void {
  const { config, url, log, metrics, health, lifecycle, controlLog, follower } = parts;
  if (
    servers.security?.tls === undefined &&
    !servers.brokers.every((broker) => isLoopback(broker.slice(0, broker.lastIndexOf(':'))))
  ) {
    log.warn('revocations go to Kafka in plaintext: set KAFKA_TLS=true, or protect the network otherwise');
  }
  const pool = createPool({
    url,
    max: TOPIC_FEEDS_CONNECTIONS,
    applicationName: 'rescind-topics',
    onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost'),
  });
  lifecycle.onStop('topic feeds pool', () => pool.end());
  parts.watchPool('topics', pool);
  const kafka = createKafka({ ...servers, clientId: 'rescind-topics', log });
  const feeds = createTopicFeeds({ kafka, key, pool, controlLog, follower, log, metrics, prefix: config.topicPrefix });
  lifecycle.onStop('topic feeds', () => feeds.stop());
  feeds.start();
  if (config.controlFence === 'on')
    health.register('topic-feeds', () => refuseWhen(feeds.notReadyReason(), 'control-log-behind'));
}

/** Publishes ledgers as OCSF events, if the configuration says so. Nothing waits for it. */
export function startSiemFeed(parts: Parts, servers: KafkaServers, cold: ColdUses): void {
  const { config, url, log, metrics, lifecycle, follower } = parts;
  if (config.ocsfTopics === 'off') return;
  const pool = createPool({
    url,
    max: SIEM_CONNECTIONS,
    applicationName: 'rescind-ocsf',
    onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost'),
  });
  lifecycle.onStop('OCSF pool', () => pool.end());
  parts.watchPool('ocsf', pool);
  const kafka = createKafka({ ...servers, clientId: 'rescind-ocsf', log });
  const ask = createAsk({ pool, now: () => Math.floor(Date.now() / 1000), cold });
  const feed = createSiemFeed({ kafka, pool, ask, state: follower.state, log, metrics, prefix: config.topicPrefix });
  lifecycle.onStop('OCSF feed', () => feed.stop());
  feed.start();
}

/** Publishes what happens to findings, if the configuration says so. Nothing waits for it. */
export function startFindingsFeed(parts: Parts, servers: KafkaServers): void {
  const { config, url, log, metrics, lifecycle, follower } = parts;
  const { findingsTopics: format } = config;
  if (format === 'off') return;
  const pool = createPool({
    url,
    max: SIEM_CONNECTIONS,
    applicationName: 'rescind-findings-topics',
    onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost'),
  });
  lifecycle.onStop('findings topics pool', () => pool.end());
  parts.watchPool('findings-topics', pool);
  const findings = createFindings({
    ask: createAsk({ pool, now: () => Math.floor(Date.now() / 1000) }),
    reader: createReader(() => follower.state),
  });
  const feed = createFindingsFeed({
    kafka: createKafka({ ...servers, clientId: 'rescind-findings', log }),
    pool,
    findings: newsOf(findings, pool),
    tenants: () => follower.state.tenants(),
    format,
    log,
    metrics,
    prefix: config.topicPrefix,
  });
  lifecycle.onStop('findings topics', () => feed.stop());
  feed.start();
}

/** One session holds the right to follow the ledgers and writes; one reads. */
const FINDINGS_CONNECTIONS = 2;

/** Looks for findings behind the commit of each ledger. Nothing waits for it. */
export function startFindings(
  { config, url, log, metrics, lifecycle, follower, watchPool }: Parts,
  cold: ColdUses,
): void {
  const pool = createPool({
    url,
    max: FINDINGS_CONNECTIONS,
    applicationName: 'rescind-findings',
    onIdleError: (err) => log.warn({ err }, 'an idle database connection was lost'),
  });
  lifecycle.onStop('findings pool', () => pool.end());
  watchPool('findings', pool);
  const findings = createFindingsFollower({
    pool,
    tenants: () => follower.state.tenants(),
    control: createReader(() => follower.state),
    detections: DETECTIONS,
    learnsDays: config.findingsLearnDays,
    cold,
    log,
    metrics,
  });
  lifecycle.onStop('findings', () => findings.stop());
  findings.start();
}
