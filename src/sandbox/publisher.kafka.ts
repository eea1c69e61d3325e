import { CompressionTypes, type Kafka } from 'kafkajs';
import { createProducer, kafkaTransport, type KafkaMode } from '../emit/index.js';
import type { EventPublisher } from './event-publisher.js';
import { publisherOf } from './publisher.js';

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
  // The topic was created when the source was registered; a producer that created the topic would give it other settings.
  const producer = options.kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const transport = kafkaTransport({
    producer,
    sourceName: options.sourceName,
    mode: options.mode,
    compression: options.compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None,
  });
  const publisher = publisherOf((tell) => createProducer({ source: options.source, transport, ...tell }));
  return {
    publish: publisher.publish,
    async stop() {
      await publisher.stop();
      await producer.disconnect();
    },
  };
}
