import { createProducer, kafkaTransport, type KafkaMode } from '../emit/index.js';
import type { Kafka } from '../platform/kafka/index.js';
import type { EventPublisher } from './event-publisher.js';
import { publisherOf } from './publisher.js';

/** Kafka's number of the codec. */
const GZIP = 1;

export interface KafkaPublisherOptions {
  readonly kafka: Kafka;
  /** The source's short name, which names its topic. */
  readonly sourceName: string;
  /** The source's registered URI. */
  readonly source: string;
  readonly mode: KafkaMode;
  readonly compression?: 'gzip';
}

/** Creates a publisher to the source's own topic. On Kafka, only the right to write that topic says who wrote an event. */
export async function createKafkaPublisher(options: KafkaPublisherOptions): Promise<EventPublisher> {
  const producer = await options.kafka.connectProducer();
  const transport = kafkaTransport({
    producer,
    sourceName: options.sourceName,
    mode: options.mode,
    ...(options.compression === 'gzip' ? { compression: GZIP } : {}),
  });
  const publisher = publisherOf((tell) => createProducer({ source: options.source, transport, ...tell }));
  return {
    publish: publisher.publish,
    async stop() {
      await publisher.stop();
      await producer.close();
    },
  };
}
