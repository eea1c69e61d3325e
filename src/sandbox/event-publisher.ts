import type { EventDataOf, SourceEventName } from '../contracts/index.js';

export interface PublishOptions {
  /** When it happened; the moment of the call where absent. */
  readonly time?: Date;
  readonly subject?: string;
}

/**
 * How a party tells what it did.
 *
 * `publish` MUST NOT resolve before the event is durable at the broker (every in-sync replica) or at Rescind, and MUST
 * reject otherwise; a party hands a token out only after it resolved, so that a token in use is a token announced. After
 * a rejection the outcome is unknown. Order is kept among calls that await each other. `stop` sends nothing more.
 */
export interface EventPublisher {
  publish<N extends SourceEventName>(name: N, data: EventDataOf[N], options?: PublishOptions): Promise<void>;
  stop(): Promise<void>;
}
