import { join } from 'node:path';
import { RescindError } from '../../contracts/index.js';
import type { Config, KafkaConfig } from '../config/index.js';
import type { Log } from '../log/index.js';
import type { Lifecycle } from '../process/index.js';
import { startEmbeddedPostgres } from './embedded-postgres.pg.js';
import { startLocalKafka } from './local-kafka.js';
import type { Supervision } from './supervised-service.js';

/** Takes a line for the operator about a service that ended by itself or runs again. */
export type Say = (line: string) => void;

const supervisionOf = (lifecycle: Lifecycle, say: Say | undefined): Supervision => ({
  onGivenUp: lifecycle.fail,
  ...(say ? { say } : {}),
});

/** Returns the URL of the configured database, or starts and supervises the embedded one. */
export async function startDatabase(config: Config, log: Log, lifecycle: Lifecycle, say?: Say): Promise<string> {
  if (config.database !== 'embedded') return config.database.url.reveal();
  const postgres = await startEmbeddedPostgres({
    directory: join(config.home, 'postgres'),
    log,
    supervision: supervisionOf(lifecycle, say),
    signal: lifecycle.stopping,
  });
  lifecycle.onStop('embedded PostgreSQL', () => postgres.stop());
  return postgres.url;
}

export type KafkaServers = Pick<KafkaConfig, 'brokers'> & Partial<KafkaConfig>;

/**
 * Starts the local Kafka unless the configuration names brokers. Without Java or Maven, `problem` says so once and HTTP intake works
 * alone.
 */
export async function startKafka(
  config: Config,
  log: Log,
  lifecycle: Lifecycle,
  say?: Say,
): Promise<{ servers: KafkaServers | null; problem?: string }> {
  if (config.kafka === 'none') return { servers: null };
  if (config.kafka !== 'embedded') return { servers: config.kafka };
  try {
    const kafka = await startLocalKafka({
      directory: join(config.home, 'kafka'),
      log,
      supervision: supervisionOf(lifecycle, say),
      signal: lifecycle.stopping,
    });
    lifecycle.onStop('local Kafka', () => kafka.stop());
    return { servers: { brokers: kafka.brokers } };
  } catch (error) {
    if (!(error instanceof RescindError) || error.code !== 'kafka-unavailable' || lifecycle.stopping.aborted)
      throw error;
    log.warn({ detail: error.detail }, 'no local Kafka: events are taken over HTTP alone');
    return { servers: null, problem: error.detail ?? error.message };
  }
}
