import {
  CLOUDEVENTS_BATCH_MEDIA_TYPE,
  MAX_EVENTS_PER_POST,
  MAX_POST_BYTES,
  REJECT_CODES,
  RescindError,
  isErrorCode,
  type CloudEvent,
  type ErrorCode,
  type IntakeResult,
} from '../contracts/index.js';

export type EmitterCredentials =
  /** `client_secret_basic`. */
  | { readonly clientId: string; readonly clientSecret: string }
  | { readonly bearer: string };

export interface HttpEmitterOptions {
  /** Where Rescind answers, such as `https://rescind.example`; a path in it is kept. */
  readonly url: string;
  readonly credentials: EmitterCredentials;
  /** Milliseconds that one request may take before it is given up. Default 10,000. */
  readonly timeoutMs?: number;
  /** Allows `http:` to another machine, where something else protects the connection. Default false. */
  readonly cleartext?: boolean;
}

export interface HttpEmitter {
  /**
   * One result per event, in order; an accepted event is durable then. Rejects with a `RescindError` when a request as a
   * whole was refused or got no answer. After a rejection some events may have been taken; sending all of them again is
   * safe, since Rescind knows duplicates by (source, id). Does not retry by itself.
   */
  emit(events: readonly CloudEvent[]): Promise<IntakeResult[]>;
}

export const DEFAULT_TIMEOUT_MS = 10_000;

export function createHttpEmitter(options: HttpEmitterOptions): HttpEmitter {
  const url = endpoint(options);
  const authorization = authorizationOf(options.credentials);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return {
    async emit(events) {
      const results: IntakeResult[] = [];
      for (const batch of batches(events)) results.push(...(await post(url, authorization, timeoutMs, batch)));
      return results;
    },
  };
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

function endpoint({ url, cleartext }: HttpEmitterOptions): URL {
  const base = new URL(url);
  if (base.protocol !== 'https:' && !(base.protocol === 'http:' && (cleartext === true || LOOPBACK.has(base.hostname)))) {
    throw new TypeError('`url` must be https, since the request carries a secret; loopback may be http');
  }
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/events`;
  base.search = '';
  base.hash = '';
  return base;
}

function authorizationOf(credentials: EmitterCredentials): string {
  if ('bearer' in credentials) return `Bearer ${credentials.bearer}`;
  // RFC 6749, 2.3.1: both are form-encoded before they are joined, or a colon in the id would end it.
  const encoded = [credentials.clientId, credentials.clientSecret].map((part) => new URLSearchParams([['', part]]).toString().slice(1));
  return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
}

interface Batch {
  readonly count: number;
  readonly body: string;
}

/** Bytes between and around the events of a JSON array. */
const BRACKETS = 2;
const COMMA = 1;

function* batches(events: readonly CloudEvent[]): Generator<Batch> {
  let texts: string[] = [];
  let bytes = BRACKETS;
  const close = (): Batch => ({ count: texts.length, body: `[${texts.join(',')}]` });
  for (const event of events) {
    const text = JSON.stringify(event);
    const size = Buffer.byteLength(text) + COMMA;
    if (texts.length > 0 && (texts.length === MAX_EVENTS_PER_POST || bytes + size > MAX_POST_BYTES)) {
      yield close();
      texts = [];
      bytes = BRACKETS;
    }
    texts.push(text);
    bytes += size;
  }
  if (texts.length > 0) yield close();
}

async function post(url: URL, authorization: string, timeoutMs: number, batch: Batch): Promise<IntakeResult[]> {
  let status: number;
  let text: string;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization, 'content-type': CLOUDEVENTS_BATCH_MEDIA_TYPE, accept: 'application/json' },
      body: batch.body,
      // A redirect would carry the secret to wherever it points.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    status = response.status;
    text = await response.text();
  } catch (cause) {
    throw new RescindError('emit-failed', { detail: 'no answer to POST /events', cause });
  }
  const results = resultsOf(text, batch.count);
  if (results !== undefined) return results;
  throw refusal(status, text);
}

function resultsOf(text: string, count: number): IntakeResult[] | undefined {
  const body = parsed(text);
  const list = Array.isArray(body) ? body : [body];
  return list.length === count && list.every(isIntakeResult) ? list : undefined;
}

function isIntakeResult(value: unknown): value is IntakeResult {
  if (typeof value !== 'object' || value === null) return false;
  if ('index' in value) return typeof value.index === 'string' && ('state' in value || 'duplicate' in value);
  return 'error' in value && typeof value.error === 'string' && Object.hasOwn(REJECT_CODES, value.error);
}

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  413: 'too-large',
  415: 'unsupported-media-type',
  429: 'too-many-requests',
};

function refusal(status: number, text: string): RescindError {
  const body = parsed(text);
  const stated = typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string' ? body.code : '';
  const detail = `POST /events answered ${status}`;
  if (isErrorCode(stated)) return new RescindError(stated, { detail });
  const code = CODE_OF_STATUS[status];
  if (code !== undefined) return new RescindError(code, { detail });
  return new RescindError('emit-failed', { detail, retryable: status >= 500 });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
