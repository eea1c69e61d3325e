/** A logger for the guard's reports; pino's loggers fit. */
export interface GuardLog {
  info(bindings: object, message: string): void;
  warn(bindings: object, message: string): void;
  error(bindings: object, message: string): void;
}

/** Credentials of the caller as which the guard asks. */
export type GuardCredentials =
  /** The caller's id and secret, sent as `client_secret_basic` (RFC 6749, 2.3.1). */
  | { readonly id: string; readonly secret: string }
  /** The caller's secret as a bearer key (RFC 6750). */
  | { readonly key: string };

/** Options of `createGuard`. Every number must be a whole number above 0. */
export interface GuardOptions {
  /** Base URL of Rescind, such as `https://rescind.example`; a path in it is kept. */
  readonly rescind: string;
  /**
   * Credentials of a caller with the role `guard` (in mode `introspect`: the role `introspect`). A function is called before each request,
   * so that a secret can be rotated.
   */
  readonly credentials: GuardCredentials | (() => GuardCredentials);
  /** `local` (default): answers from memory under a node's lease. `introspect`: asks `POST /introspect` on every check. */
  readonly mode?: 'local' | 'introspect';
  /** Tokens that are remembered. Default 10,000. Texts of over 4,096 characters are not remembered. */
  readonly maxTokens?: number;
  /** Questions sent to the node at once. Default 64. */
  readonly maxQuestions?: number;
  /** Questions that wait to be sent; further ones are answered `unavailable`. Default 1,024. */
  readonly maxWaiting?: number;
  /** Milliseconds, waiting included, after which a check without an answer is `unavailable`. Default 2,000. */
  readonly timeoutMs?: number;
  /** Allows `http:` to another machine, for connections that something else protects. Default false. */
  readonly cleartext?: boolean;
  readonly log?: GuardLog;
}

export const DEFAULT_MAX_TOKENS = 10_000;
export const DEFAULT_MAX_QUESTIONS = 64;
export const DEFAULT_MAX_WAITING = 1_024;
export const DEFAULT_TIMEOUT_MS = 2_000;
/** Characters of a token. Longer texts fit in no header that a server accepts by default, and are inactive. */
export const MAX_TOKEN_LENGTH = 16_384;
