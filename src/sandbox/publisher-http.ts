import { createProducer, httpTransport } from '../emit/index.js';
import type { EventPublisher } from './event-publisher.js';
import { publisherOf } from './publisher.js';

export interface HttpPublisherOptions {
  readonly rescindUrl: string;
  /** Secret of a caller whose `emit` role names the source. */
  readonly bearerKey: string;
  /** The source's registered URI. */
  readonly source: string;
}

/** Creates a publisher for a deployment without Kafka. */
export function createHttpPublisher({ rescindUrl, bearerKey, source }: HttpPublisherOptions): EventPublisher {
  const transport = httpTransport({ url: rescindUrl, credentials: { bearer: bearerKey } });
  return publisherOf((tell) => createProducer({ source, transport, ...tell }));
}
