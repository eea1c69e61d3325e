import {
  CLOUDEVENTS_BATCH_MEDIA_TYPE,
  ERROR_CODES,
  REJECT_CODES,
  SIGNED_BATCH_MEDIA_TYPE,
  isErrorCode,
  type ErrorCode,
  type IntakeResult,
} from '../../contracts/index.js';
import { parseRetryAfter } from '../backoff.js';
import type { Signer } from '../signer.js';
import { SendFailed, type FailureReason } from './transport.js';

/** Credentials of a caller with the role `emit`: its id and secret, or the secret as a bearer key (RFC 6750). */
export type EmitterCredentials =
  /** Sent as `client_secret_basic` (RFC 6749, 2.3.1). */
  { readonly clientId: string; readonly clientSecret: string } | { readonly bearer: string };

/** Options of a connection to Rescind over HTTP. `url` must be https; http is for loopback. */
export interface HttpOptions {
  /** Base URL of Rescind, such as `https://rescind.example`; a path in it is kept. */
  readonly url: string;
  /** A function is called before each request, so that a secret can be rotated without a restart. */
  readonly credentials: EmitterCredentials | (() => EmitterCredentials);
  /** Milliseconds after which one request is abandoned. Default 10,000. */
  readonly timeoutMs?: number;
  /** Allows `http:` to another machine, for connections that something else protects. Default false. */
  readonly cleartext?: boolean;
  /** Signs each batch, for a source that is registered to sign. `createSigner` makes one. Default: events go unsigned. */
  readonly signer?: Signer;
}

/**
 * Sends the JSON texts of events in one request and resolves with one result an event. Always sends a batch, also for one event, so that an
 * answer has one form. A batch that is sent again right after it failed has the same bytes. Rejects with `SendFailed`.
 */
export type Post = (events: readonly string[], signal?: AbortSignal) => Promise<readonly IntakeResult[]>;

/** Options of a post that may wait for signed checkpoints. */
export interface PostOptions extends HttpOptions {
  /**
   * `published`: results come when a signed checkpoint covers the events, after about a second, and have `evidence`, the file that `rescind verify`
   * checks; null if no checkpoint covered them within four seconds. Default: results come when the events are durable.
   */
  readonly wait?: 'published';
}

/** Milliseconds that one request may take by default. */
export const DEFAULT_TIMEOUT_MS = 10_000;
/** Largest answer in bytes: the evidence of 1,000 events, or ten times their results. A longer answer does not come from Rescind. */
const MAX_ANSWER_BYTES = { published: 16 * 1024 * 1024, durable: 4 * 1024 * 1024 } as const;

export function createPost(options: PostOptions): Post {
  const url = endpoint(options);
  const { credentials } = options;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const write = options.signer === undefined ? writeUnsigned : signedWriter(options.signer);
  return async (events, signal) => {
    const { status, text, retryAfterMs } = await exchange(url, await write(events), {
      authorization: authorizationOf(typeof credentials === 'function' ? credentials() : credentials),
      timeoutMs,
      signal,
      maxBytes: MAX_ANSWER_BYTES[options.wait ?? 'durable'],
    });
    const results = resultsOf(status, parsed(text), events.length);
    if (results === undefined) throw failure(status, parsed(text), retryAfterMs);
    const held = results.find((result) => 'error' in result && AT_FAULT_IS_THE_SIGNER.has(result.error));
    if (held && 'error' in held)
      throw new SendFailed(held.error, 'held', { detail: held.detail ?? 'the signature is refused' });
    return results;
  };
}

interface Body {
  readonly contentType: string;
  readonly bytes: string | Buffer<ArrayBuffer>;
}

const writeUnsigned = (events: readonly string[]): Body => ({
  contentType: CLOUDEVENTS_BATCH_MEDIA_TYPE,
  bytes: `[${events.join(',')}]`,
});

/** Signs batches, and remembers the last one, so that it can be sent again as it was. */
function signedWriter(signer: Signer): (events: readonly string[]) => Promise<Body> {
  let last: { readonly events: readonly string[]; readonly bytes: Buffer } | undefined;
  return async (events) => {
    if (
      last === undefined ||
      last.events.length !== events.length ||
      events.some((text, at) => text !== last!.events[at])
    )
      last = { events, bytes: await signer.signBatch(events) };
    return { contentType: SIGNED_BATCH_MEDIA_TYPE, bytes: last.bytes as Buffer<ArrayBuffer> };
  };
}

/** Refusals for which the source's registration or key must be repaired. The events are not at fault and wait. */
const AT_FAULT_IS_THE_SIGNER: ReadonlySet<string> = new Set<ErrorCode>([
  'signature-required',
  'signature-invalid',
  'unknown-key',
  'wrong-audience',
]);

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

function endpoint({ url, cleartext, wait }: PostOptions): URL {
  const base = new URL(url);
  if (
    base.protocol !== 'https:' &&
    !(base.protocol === 'http:' && (cleartext === true || LOOPBACK.has(base.hostname)))
  ) {
    throw new TypeError('`url` must be https, since the request carries a secret; loopback may be http');
  }
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/events`;
  base.search = wait === undefined ? '' : `wait=${wait}`;
  base.hash = '';
  return base;
}

function authorizationOf(credentials: EmitterCredentials): string {
  if ('bearer' in credentials) return `Bearer ${credentials.bearer}`;
  // RFC 6749, 2.3.1: both parts are form-encoded before they are joined; otherwise a colon in the id would end the id.
  const encoded = [credentials.clientId, credentials.clientSecret].map((part) =>
    new URLSearchParams([['', part]]).toString().slice(1),
  );
  return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs: number | undefined;
}

interface Exchange {
  readonly authorization: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Bytes of the answer. */
  readonly maxBytes: number;
}

async function exchange(
  url: URL,
  { contentType, bytes }: Body,
  { authorization, timeoutMs, signal, maxBytes }: Exchange,
): Promise<Answer> {
  // One controller a request: listeners would gather on a signal that lives as long as its producer.
  const giveUp = new AbortController();
  const abort = (): void => giveUp.abort();
  const timer = setTimeout(abort, timeoutMs);
  signal?.addEventListener('abort', abort);
  try {
    if (signal?.aborted) abort();
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization, 'content-type': contentType, accept: 'application/json' },
      body: bytes,
      // A redirect would carry the secret to whatever address it names.
      redirect: 'manual',
      signal: giveUp.signal,
    });
    const text = await bounded(response, maxBytes);
    return {
      status: response.status,
      text,
      retryAfterMs: parseRetryAfter(response.headers.get('retry-after'), Date.now()),
    };
  } catch (cause) {
    throw new SendFailed('emit-failed', 'away', { detail: 'no answer to POST /events', cause });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

async function bounded(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new RangeError(`an answer of over ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Every event has a result; 202: they are taken, and the evidence that was asked for is not there yet. */
const ANSWERED: ReadonlySet<number> = new Set([200, 202]);

function resultsOf(status: number, body: unknown, count: number): IntakeResult[] | undefined {
  const list = Array.isArray(body) ? body : [body];
  return list.length === count && list.every((one) => isIntakeResult(one, status)) ? list : undefined;
}

function isIntakeResult(value: unknown, status: number): value is IntakeResult {
  if (typeof value !== 'object' || value === null) return false;
  if ('index' in value)
    return ANSWERED.has(status) && typeof value.index === 'string' && ('state' in value || 'duplicate' in value);
  if (!('error' in value) || typeof value.error !== 'string') return false;
  // A newer Rescind may refuse with a code that is not known here; such a refusal must not be repeated for ever.
  return (
    Object.hasOwn(REJECT_CODES, value.error) || (ANSWERED.has(status) && /^[a-z][a-z0-9-]{0,63}$/.test(value.error))
  );
}

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  413: 'too-large',
  415: 'unsupported-media-type',
  429: 'too-many-requests',
};

const PAYLOAD_TOO_LARGE = 413;
/** Statuses that ask the client to come again (RFC 9110, 15.5.9; RFC 8470, 5.2; RFC 6585, 4). */
const AGAIN: ReadonlySet<number> = new Set([408, 425, 429]);

function failure(status: number, body: unknown, retryAfterMs: number | undefined): SendFailed {
  const stated = codeStatedIn(body);
  const code = stated ?? CODE_OF_STATUS[status] ?? 'emit-failed';
  return new SendFailed(code, reasonOf(status, stated), { detail: `POST /events answered ${status}`, retryAfterMs });
}

/**
 * Decides what a failed request means for the batch. Only Rescind's own code can say that events are at fault: a proxy that answers 400 to
 * everything must not lose them.
 */
function reasonOf(status: number, stated: ErrorCode | undefined): FailureReason {
  if (status >= 500 || AGAIN.has(status)) return 'away';
  if (status === PAYLOAD_TOO_LARGE) return 'divisible';
  if (stated !== undefined && ERROR_CODES[stated].kind === 'invalid') return 'divisible';
  return status >= 200 && status < 300 ? 'away' : 'held';
}

function codeStatedIn(body: unknown): ErrorCode | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { code, error } = body as { code?: unknown; error?: unknown };
  return [code, error].find((text): text is ErrorCode => typeof text === 'string' && isErrorCode(text));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
