import { buildEvent, createHttpEmitter } from '../emit/index.js';
import type { EventPublisher } from './event-publisher.js';

export interface HttpPublisherOptions {
  readonly rescindUrl: string;
  /** Secret of a caller whose `emit` role names the source. */
  readonly bearerKey: string;
  /** The source's registered URI. */
  readonly source: string;
}

/** For a deployment without Kafka. */
export function createHttpPublisher({ rescindUrl, bearerKey, source }: HttpPublisherOptions): EventPublisher {
  const emitter = createHttpEmitter({ url: rescindUrl, credentials: { bearer: bearerKey } });
  return {
    async publish(name, data, meta = {}) {
      const [result] = await emitter.emit([buildEvent(name, { ...meta, source, data })]);
      if (result === undefined || 'error' in result) throw new Error(`${name} was refused: ${JSON.stringify(result)}`);
    },
    async stop() {},
  };
}
