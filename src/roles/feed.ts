import { createTopicFeeds } from '../feeds/index.js';
import { isLoopback } from '../platform/config/index.js';
import type { KafkaServers } from '../platform/embedded/index.js';
import { createKafka } from '../platform/kafka/index.js';
import { createPool } from '../platform/postgres/index.js';
import { refuseWhen } from './not-ready.js';
import type { Parts } from './parts.js';

/** The session that holds the right to publish, and reads beside it. */
const TOPIC_FEEDS_CONNECTIONS = 2;

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
