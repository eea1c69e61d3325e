import type { Producer, ProducerOptions } from '../emit/index.js';
import type { EventPublisher } from './event-publisher.js';

/** An event that takes longer is reported as a failure, and the party hands nothing out. */
const TIMEOUT_MS = 10_000;
/** Short, because no call waits for the remaining events when a party stops. */
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * Wraps a producer. A party waits for each of its events, so a refusal or a loss reaches the call that made the event; the two callbacks
 * have nothing to report.
 */
export function publisherOf(
  create: (tell: Pick<ProducerOptions, 'onDropped' | 'onRefused'>) => Producer,
): EventPublisher {
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
