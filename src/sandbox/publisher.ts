import type { Producer, ProducerOptions } from '../emit/index.js';
import type { EventPublisher } from './event-publisher.js';

/** An event that took longer is reported as a failure, and the party hands nothing out. */
const TIMEOUT_MS = 10_000;
/** A party that stops waits no longer for events that nobody waits for any more. */
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * A party waits for each of its events, so that a refusal or a loss reaches the call that made it, and there is nobody else to
 * tell.
 */
export function publisherOf(create: (tell: Pick<ProducerOptions, 'onDropped' | 'onRefused'>) => Producer): EventPublisher {
  const producer = create({ onDropped: () => undefined, onRefused: () => undefined });
  return {
    async publish(name, data, options = {}) {
      await producer.emitDurably(name, data, { ...options, timeoutMs: TIMEOUT_MS });
    },
    async stop() {
      await producer.close({ timeoutMs: CLOSE_TIMEOUT_MS });
    },
  };
}
