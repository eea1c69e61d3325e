import { ERROR_CODES, RETRYABLE_KINDS, type ErrorCode, type ErrorKind } from './error-codes.js';

export interface RescindErrorOptions {
  /** For the caller: which member, which limit. Never a secret, a token or a cause. */
  readonly detail?: string;
  /** For the operator's log only; no edge sends it to a caller. */
  readonly cause?: unknown;
  /** Given if it differs from the kind's default: timeout, overloaded and unavailable are retryable, other kinds are not. */
  readonly retryable?: boolean;
  /** Members that a problem+json answer has beside the standard ones, such as the id of an unconfirmed rule. */
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/**
 * An error thrown on purpose. Compare `code`, never the message.
 *
 * @example throw new RescindError('not-found', { detail: 'no source with this id' });
 */
export class RescindError extends Error {
  /** Stable code, one of `ERROR_CODES`. */
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** For the caller; undefined if the title of the code says all. */
  readonly detail: string | undefined;
  readonly extensions: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, options: RescindErrorOptions = {}) {
    const { kind, title } = ERROR_CODES[code];
    super(options.detail ?? title, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RescindError';
    this.code = code;
    this.kind = kind;
    this.retryable = options.retryable ?? RETRYABLE_KINDS.has(kind);
    this.detail = options.detail;
    this.extensions = options.extensions;
  }
}
