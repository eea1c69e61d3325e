import { RescindError, type ErrorCode } from '../../contracts/index.js';

/** Outcome of one event: durable at the other side, or refused for good. */
export type Verdict =
  | {
      readonly taken: true;
      /** Index in the ledger, a decimal string, if the other side is Rescind itself. */
      readonly index?: string;
      /** Present if the other side had the event already. */
      readonly duplicate?: true;
    }
  | { readonly taken: false; readonly code: ErrorCode; readonly detail?: string };

/** How a producer sends events to the other side. */
export interface Transport {
  /** Name for log lines about a failure. */
  readonly name: string;
  /** Events that one `send` may carry. */
  readonly maxEvents: number;
  /** Bytes of JSON that one `send` may carry; MUST be at least `MAX_EVENT_BYTES` (256 KiB). */
  readonly maxBytes: number;
  /**
   * Sends CloudEvents, each as its JSON text. MUST resolve with one verdict an event, in order, and not before each event is durable or
   * refused. MUST reject if the outcome is unknown, with `SendFailed` if it knows why; the same events are then sent again. MAY give up
   * when the signal is aborted. The producer never calls it twice at once.
   */
  send(events: readonly string[], signal: AbortSignal): Promise<readonly Verdict[]>;
}

/**
 * Why the outcome of a batch is unknown.
 * - `away`: no answer, or an answer that asks to come again.
 * - `held`: the caller is at fault, not the events: a wrong address, an expired secret, a missing role or topic. The events wait as for
 *   `away`, until somebody repairs the fault.
 * - `divisible`: the batch as a whole was refused; its halves may pass, and an event that is refused alone is at fault.
 */
export type FailureReason = 'away' | 'held' | 'divisible';

/** An attempt whose outcome is unknown. `code` names the cause, `reason` says what the producer does next. */
export class SendFailed extends RescindError {
  readonly reason: FailureReason;
  /** Milliseconds for which the other side asked not to be called. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    reason: FailureReason,
    options: { detail: string; retryAfterMs?: number | undefined; cause?: unknown },
  ) {
    super(code, { detail: options.detail, retryable: reason === 'away', cause: options.cause });
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}
