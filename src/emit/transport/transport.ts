import { RescindError, type ErrorCode } from '../../contracts/index.js';

/** What became of one event: it is durable where the transport leads, or it was refused for good. */
export type Verdict =
  | {
      readonly taken: true;
      /** Its index in the ledger, where the other side is Rescind itself; a decimal string. */
      readonly index?: string;
      /** The other side had it already. */
      readonly duplicate?: true;
    }
  | { readonly taken: false; readonly code: ErrorCode; readonly detail?: string };

/** How a producer reaches the other side. */
export interface Transport {
  /** For people: what is logged when it fails. */
  readonly name: string;
  /** Events that one `send` may carry. */
  readonly maxEvents: number;
  /** Bytes of JSON that one `send` may carry; MUST be at least `MAX_EVENT_BYTES`. */
  readonly maxBytes: number;
  /**
   * Sends CloudEvents, each as its JSON text. MUST resolve with one verdict per event, in order, and not before each event
   * is durable or refused. MUST reject when that is not known, with `SendFailed` where it knows why; the same events are
   * then sent again. MAY give up when the signal is aborted. The producer never calls it twice at once.
   */
  send(events: readonly string[], signal: AbortSignal): Promise<readonly Verdict[]>;
}

/**
 * Why nothing is known of a batch.
 * - `away`: no answer, or one that says to come again.
 * - `held`: the caller is at fault, not the events: a wrong address, a secret that ended, a role or a topic that is missing.
 *   They wait as for `away`, since somebody will repair it.
 * - `divisible`: the batch as a whole was refused; halves of it may pass, and an event that is alone is at fault.
 */
export type FailureReason = 'away' | 'held' | 'divisible';

export class SendFailed extends RescindError {
  readonly reason: FailureReason;
  /** Milliseconds that the other side asked to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, reason: FailureReason, options: { detail: string; retryAfterMs?: number | undefined; cause?: unknown }) {
    super(code, { detail: options.detail, retryable: reason === 'away', cause: options.cause });
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}
