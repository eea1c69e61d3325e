import { FORM_MEDIA_TYPE, JSON_MEDIA_TYPE } from '../../contracts/index.js';
import { MAX_RETRY_AFTER_S } from '../answer.js';
import type { GuardCredentials, GuardOptions } from '../guard-options.js';
import { MAX_ANSWER_BYTES, openKeptConnection, type KeptConnection } from './kept-connection.js';
import { parseObject } from './wire.js';

export interface NodeAnswer {
  readonly status: number;
  /** Undefined if the body is not a JSON object. */
  readonly body: Record<string, unknown> | undefined;
  /** Seconds. */
  readonly retryAfter: number | undefined;
}

/** Sends requests to the node behind one address, as one caller. Every method rejects if no answer comes. */
export interface NodeClient {
  postForm(path: string, form: Readonly<Record<string, string>>, signal: AbortSignal): Promise<NodeAnswer>;
  /** Posts a renewal over one kept connection, one at a time; see `kept-connection.ts`. */
  postLease(body: object, signal: AbortSignal): Promise<NodeAnswer>;
  /** Resolves with the headers; the caller reads the body. */
  openStream(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response>;
}

const LEASE_PATH = '/feed/lease';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Creates a client. Throws `TypeError` for an address to which a secret must not go. */
export function createNodeClient({
  rescind,
  credentials,
  cleartext,
}: Pick<GuardOptions, 'rescind' | 'credentials' | 'cleartext'>): NodeClient {
  const base = new URL(rescind);
  if (
    base.protocol !== 'https:' &&
    !(base.protocol === 'http:' && (cleartext === true || LOOPBACK.has(base.hostname)))
  ) {
    throw new TypeError('`rescind` must be https, since requests carry a secret and tokens; loopback may be http');
  }
  const prefix = `${base.origin}${base.pathname.replace(/\/+$/, '')}`;
  const authorization = (): string => authorizationOf(typeof credentials === 'function' ? credentials() : credentials);

  const headersOf = (contentType: string) => ({
    authorization: authorization(),
    'content-type': contentType,
    accept: JSON_MEDIA_TYPE,
  });
  let kept: Promise<KeptConnection | undefined> | undefined;

  // A redirect would carry the secret and the token to whatever address it names.
  const send = (path: string, contentType: string, body: string, signal: AbortSignal): Promise<Response> =>
    fetch(`${prefix}${path}`, {
      method: 'POST',
      headers: headersOf(contentType),
      body,
      redirect: 'error',
      signal,
    });

  return {
    postForm: async (path, form, signal) =>
      answerOf(await send(path, FORM_MEDIA_TYPE, new URLSearchParams(form).toString(), signal)),
    async postLease(body, signal) {
      const text = JSON.stringify(body);
      kept ??= openKeptConnection(base.protocol);
      const post = await kept;
      if (post === undefined) return answerOf(await send(LEASE_PATH, JSON_MEDIA_TYPE, text, signal));
      const answer = await post(new URL(`${prefix}${LEASE_PATH}`), headersOf(JSON_MEDIA_TYPE), text, signal);
      return { status: answer.status, body: answer.body, retryAfter: retryAfterOf(answer) };
    },
    openStream(path, query, signal) {
      const search = new URLSearchParams(query).toString();
      return fetch(`${prefix}${path}${search === '' ? '' : `?${search}`}`, {
        headers: { authorization: authorization(), accept: 'text/event-stream' },
        redirect: 'error',
        signal,
      });
    },
  };
}

function authorizationOf(credentials: GuardCredentials): string {
  if ('key' in credentials) return `Bearer ${credentials.key}`;
  // RFC 6749, 2.3.1: both parts are form-encoded before they are joined; otherwise a colon in the id would end the id.
  const encoded = [credentials.id, credentials.secret].map((part) =>
    new URLSearchParams([['', part]]).toString().slice(1),
  );
  return `Basic ${btoa(encoded.join(':'))}`;
}

async function answerOf(response: Response): Promise<NodeAnswer> {
  return { status: response.status, body: parseObject(await bounded(response)), retryAfter: retryAfterOf(response) };
}

async function bounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new RangeError(`an answer of over ${MAX_ANSWER_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

export function retryAfterOf(response: { readonly headers: { get(name: string): string | null } }): number | undefined {
  const value = response.headers.get('retry-after');
  return value !== null && /^\d{1,9}$/.test(value) ? Math.min(Number(value), MAX_RETRY_AFTER_S) : undefined;
}
