import type { EventDataOf, SourceEventName } from '../contracts/index.js';

export interface PublishOptions {
  /** When it happened; default: the moment of the call. */
  readonly time?: Date;
  readonly subject?: string;
}

/**
 * Publishes the events of one party.
 *
 * `publish` MUST NOT resolve before the event is durable at the broker (every in-sync replica) or at Rescind, and MUST reject otherwise. A
 * party hands a token out only after `publish` has resolved, so that every token in use has been announced. After a rejection the outcome
 * is unknown. Calls that await each other keep their order. `stop` sends nothing more.
 */
export interface EventPublisher {
  publish<N extends SourceEventName>(name: N, data: EventDataOf[N], options?: PublishOptions): Promise<void>;
  stop(): Promise<void>;
}
