import { Kafka, logLevel, type KafkaConfig, type LogEntry } from 'kafkajs';
import type { Log } from './log.js';

/** How long a broker may take to accept a connection. */
export const KAFKA_CONNECT_TIMEOUT_MS = 5_000;
/** How long a request may wait for its answer before kafkajs tries again. */
export const KAFKA_REQUEST_TIMEOUT_MS = 30_000;

// kafkajs prints a warning about its partitioner on the console for every producer, past any logger.
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] ??= '1';

/** A kafkajs client that logs through ours. Codecs: none and gzip, which kafkajs has built in. */
export function createKafka(options: { brokers: readonly string[]; clientId: string; log: Log; retry?: KafkaConfig['retry'] }): Kafka {
  return new Kafka({
    brokers: [...options.brokers],
    clientId: options.clientId,
    connectionTimeout: KAFKA_CONNECT_TIMEOUT_MS,
    requestTimeout: KAFKA_REQUEST_TIMEOUT_MS,
    retry: options.retry,
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => write(options.log, entry),
  });
}

function write(log: Log, { level, namespace, log: entry }: LogEntry): void {
  const { message, timestamp: _timestamp, logger: _logger, ...members } = entry;
  const bound = { kafkajs: namespace, ...members };
  // A broker's error response is thrown to the caller or retried, and a fresh coordinator gives some: no news of its own.
  if (namespace === 'Connection' && 'correlationId' in entry) log.debug(bound, message);
  else if (level === logLevel.ERROR) log.error(bound, message);
  else if (level === logLevel.WARN) log.warn(bound, message);
  else log.debug(bound, message);
}
