import { EVENT_TOPIC_PREFIX, RescindError, SECURITY_EVENT_MEDIA_TYPE, type CloudEvent } from '../../contracts/index.js';
import type { Signer } from '../signer.js';
import { recordKey, toKafkaMessage, type KafkaMessage, type KafkaMode } from './kafka-message.js';

/**
 * The part of a Kafka client that an emitter needs; a connected producer of kafkajs fits as it is.
 *
 * `send` MUST NOT resolve before every in-sync replica has the records (`acks: -1`), and MUST reject if any of them was not written. A
 * rejection leaves the outcome unknown; sending again is safe, because Rescind recognizes duplicates by (source, id).
 */
export interface KafkaProducerPort {
  send(record: { topic: string; messages: KafkaMessage[]; acks?: number; compression?: number }): Promise<unknown>;
}

/** Options of `createKafkaEmitter` and `kafkaTransport`. */
export interface KafkaEmitterOptions {
  readonly producer: KafkaProducerPort;
  /** Short name of the source; its topic is `rescind.events.<name>`. */
  readonly sourceName: string;
  /** Topic to write instead, for a source that shares a topic. */
  readonly topic?: string;
  /** Default `binary`. */
  readonly mode?: KafkaMode;
  /** The client's number for a codec, such as 1 for gzip. Default: none. */
  readonly compression?: number;
  /** Signs each event as a SET, in place of `mode`. `createSigner` makes one. Default: events go unsigned. */
  readonly signer?: Signer;
}

/** Writes events to the topic of one source. */
export interface KafkaEmitter {
  /**
   * Resolves when the broker has the records durably. This does not mean that Rescind has read or accepted them; a refused event appears in
   * Rescind's quarantine. Events that are sent again right after they failed have the same bytes. Rejects with `emit-failed`, which is retryable,
   * and with `too-large` for an event that is too large to be signed.
   */
  emit(events: readonly CloudEvent[]): Promise<void>;
}

const ALL_IN_SYNC_REPLICAS = -1;

/** Creates an emitter for a script that writes its events to Kafka and ends. A long-running process uses `createProducer`. */
export function createKafkaEmitter(options: KafkaEmitterOptions): KafkaEmitter {
  const topic = options.topic ?? `${EVENT_TOPIC_PREFIX}${options.sourceName}`;
  const mode = options.mode ?? 'binary';
  const write = options.signer === undefined ? undefined : setWriter(options.signer);
  return {
    async emit(events) {
      if (events.length === 0) return;
      const messages = write ? await write(events) : events.map((event) => toKafkaMessage(event, { mode }));
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

/** Signs events, and remembers those of the last call, so that they can be sent again as they were. */
function setWriter(signer: Signer): (events: readonly CloudEvent[]) => Promise<KafkaMessage[]> {
  let last: ReadonlyMap<string, string> = new Map();
  return async (events) => {
    const sets = await Promise.all(
      events.map(async (event): Promise<[text: string, set: string]> => {
        const text = JSON.stringify(event);
        return [text, last.get(text) ?? (await signer.signEvent(event))];
      }),
    );
    last = new Map(sets);
    return sets.map(([, set], nth) => ({
      key: recordKey(events[nth]!),
      value: Buffer.from(set),
      headers: { 'content-type': SECURITY_EVENT_MEDIA_TYPE },
    }));
  };
}
