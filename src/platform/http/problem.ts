import {
  ERROR_CODES,
  PROBLEM_TYPE_BASE,
  RescindError,
  type ErrorCode,
  type ErrorKind,
  type Problem,
} from '../../contracts/index.js';

const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  timeout: 408,
  conflict: 409,
  'too-large': 413,
  'unsupported-media-type': 415,
  unprocessable: 422,
  overloaded: 429,
  unavailable: 503,
  internal: 500,
};

/** Seconds that a caller is told to wait if nothing better is known. */
export const RETRY_AFTER_S = 1;

/** Maps an error's kind to its HTTP status; the only place that does. */
export function statusOfKind(kind: ErrorKind): number {
  return STATUS_OF_KIND[kind];
}

export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Problem;
}

/** Builds the RFC 9457 answer. The error's cause is not in it. */
export function problemOf(error: RescindError): ProblemAnswer {
  const status = statusOfKind(error.kind);
  const headers: Record<string, string> = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  // RFC 9110 section 11.6.1: a 401 names a challenge.
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="rescind"';
  const { allow } = error.extensions ?? {};
  if (Array.isArray(allow)) headers['allow'] = allow.join(', ');
  if (status === 408 || status === 429 || status === 503)
    headers['retry-after'] = String(error.extensions?.['retry_after'] ?? RETRY_AFTER_S);
  const { title } = ERROR_CODES[error.code];
  const detail = error.detail === undefined ? {} : { detail: error.detail };
  const body = {
    ...error.extensions,
    type: `${PROBLEM_TYPE_BASE}${error.code}`,
    title,
    status,
    code: error.code,
    ...detail,
  };
  return { status, headers, body };
}

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  408: 'request-timeout',
  413: 'too-large',
  415: 'unsupported-media-type',
  429: 'too-many-requests',
  503: 'overloaded',
};

/** Builds the error for a status that the HTTP framework raised before or beside Rescind's own code. */
export function errorOfStatus(status: number, cause: unknown): RescindError {
  const code = CODE_OF_STATUS[status] ?? (status >= 400 && status < 500 ? 'invalid-request' : 'internal');
  return new RescindError(code, { cause });
}
