import { EVENT_TOPIC_PREFIX, RescindError, type CloudEvent } from '../../contracts/index.js';
import { toKafkaMessage, type KafkaMessage, type KafkaMode } from './kafka-message.js';

/**
 * What is needed of a Kafka client; a connected producer of kafkajs fits as it is.
 *
 * `send` MUST NOT resolve before every in-sync replica has the records (`acks: -1`), and MUST reject when any of them
 * was not written. A rejection leaves the outcome unknown; sending again is safe, since Rescind knows duplicates by
 * (source, id).
 */
export interface KafkaProducerPort {
  send(record: { topic: string; messages: KafkaMessage[]; acks?: number; compression?: number }): Promise<unknown>;
}

export interface KafkaEmitterOptions {
  readonly producer: KafkaProducerPort;
  /** Short name of the source: its topic is `rescind.events.<name>`. */
  readonly sourceName: string;
  /** Where the source shares a topic; then instead of the one its name gives. */
  readonly topic?: string;
  /** Default binary. */
  readonly mode?: KafkaMode;
  /** The client's number for a codec, such as 1 for gzip. Default: none. */
  readonly compression?: number;
}

export interface KafkaEmitter {
  /**
   * Resolves when the broker has the records durably. Not promised: that Rescind has read or accepted them; a refused
   * event shows in Rescind's quarantine. Rejects with `emit-failed`, retryable.
   */
  emit(events: readonly CloudEvent[]): Promise<void>;
}

const ALL_IN_SYNC_REPLICAS = -1;

export function createKafkaEmitter(options: KafkaEmitterOptions): KafkaEmitter {
  const topic = options.topic ?? `${EVENT_TOPIC_PREFIX}${options.sourceName}`;
  const mode = options.mode ?? 'binary';
  return {
    async emit(events) {
      if (events.length === 0) return;
      const messages = events.map((event) => toKafkaMessage(event, { mode }));
      try {
        await options.producer.send({
          topic,
          messages,
          acks: ALL_IN_SYNC_REPLICAS,
          ...(options.compression === undefined ? {} : { compression: options.compression }),
        });
      } catch (cause) {
        throw new RescindError('emit-failed', { detail: `topic ${topic} did not take the records`, cause });
      }
    },
  };
}
