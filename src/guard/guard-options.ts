/** pino's loggers fit. */
export interface GuardLog {
  info(bindings: object, message: string): void;
  warn(bindings: object, message: string): void;
  error(bindings: object, message: string): void;
}

export type GuardCredentials =
  /** `client_secret_basic`: the caller's id and secret. */
  | { readonly id: string; readonly secret: string }
  /** The caller's bearer key. */
  | { readonly key: string };

export interface GuardOptions {
  /** Where Rescind answers, such as `https://rescind.example`; a path in it is kept. */
  readonly rescind: string;
  /** Of a caller with the role `guard` (`introspect` in the mode of that name). A function is asked before each request, so that a secret can be rotated. */
  readonly credentials: GuardCredentials | (() => GuardCredentials);
  /** `local`, the default: answers on the word of a node, under its lease. `introspect`: asks `POST /introspect` at every check. */
  readonly mode?: 'local' | 'introspect';
  /** Tokens that are remembered. Default 10,000; the longest text that is remembered has 4,096 characters. */
  readonly maxTokens?: number;
  /** Questions that are under way at once. Default 64. */
  readonly maxQuestions?: number;
  /** Tokens that wait to be asked about; what comes beyond is `unavailable`. Default 1,024. */
  readonly maxWaiting?: number;
  /** Milliseconds until a check without an answer is `unavailable`, waiting included. Default 2,000. */
  readonly timeoutMs?: number;
  /** Allows `http:` to another machine, where something else protects the connection. Default false. */
  readonly cleartext?: boolean;
  readonly log?: GuardLog;
}

export const DEFAULT_MAX_TOKENS = 10_000;
export const DEFAULT_MAX_QUESTIONS = 64;
export const DEFAULT_MAX_WAITING = 1_024;
export const DEFAULT_TIMEOUT_MS = 2_000;
/** Characters of a token: longer ones fit in no header that a server takes by default, and are inactive. */
export const MAX_TOKEN_LENGTH = 16_384;

/** Throws `TypeError`: a limit that is no number would be no limit. */
export function checkLimits(limits: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) throw new TypeError(`\`${name}\` must be a whole number above 0`);
  }
}
