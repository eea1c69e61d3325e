import type { Settings } from './settings.js';

/** Longer than a revocation may wait for its confirmation. */
const TIMEOUT_MS = 30_000;

/** A request that the service refused or did not answer. */
export class RequestFailed extends Error {
  override readonly name = 'RequestFailed';
  readonly code: string;
  /** URL of the service that was asked. */
  readonly url: string;
  /** The service's answer, if there was one. */
  readonly problem: Answer | undefined;
  constructor(code: string, message: string, url: string, problem?: Answer) {
    super(message);
    this.code = code;
    this.url = url;
    this.problem = problem;
  }
}

export type Answer = Readonly<Record<string, unknown>>;

/** An answer that is read while it arrives. */
export interface Opened {
  readonly contentType: string;
  header(name: string): string | undefined;
  readonly chunks: AsyncIterable<string>;
  /** Closes the connection, whatever is still to come. */
  close(): void;
}

export interface Client {
  get(path: string, query?: Readonly<Record<string, string | undefined>>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Opens an answer of any length. Rejects if the service refuses, or is silent for longer than any other answer takes. */
  open(
    method: string,
    path: string,
    body: unknown,
    accept: string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Opened>;
  /** Posts a text of the given media type. */
  postText(path: string, text: string, mediaType: string): Promise<Answer>;
  put(path: string, body: unknown): Promise<Answer>;
  delete(path: string): Promise<Answer>;
}

/** Creates a client of a running service's management API. Its methods reject with `RequestFailed`. */
export function createClient({ url, key }: Settings): Client {
  const authorization = { authorization: `Bearer ${key}` };
  const send = (
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> => request(url, method, path, { ...authorization, ...headers }, jsonBody(body));

  return {
    get: (path, query = {}) => send('GET', `${path}${queryOf(query)}`),
    post: (path, body, headers) => send('POST', path, body, headers),
    open: (method, path, body, accept, headers) =>
      open(url, method, path, { ...authorization, ...headers, accept }, jsonBody(body)),
    postText: (path, text, mediaType) =>
      request(url, 'POST', path, authorization, { 'content-type': mediaType, body: text }),
    put: (path, body) => send('PUT', path, body),
    delete: (path) => send('DELETE', path),
  };
}

/** Reads a public document. No key is sent. */
export const readPublic = (url: string, path: string, timeoutMs = TIMEOUT_MS): Promise<Answer> =>
  request(url, 'GET', path, {}, undefined, timeoutMs);

interface Body {
  readonly 'content-type': string;
  readonly body: string;
}

const jsonBody = (body: unknown): Body | undefined =>
  body === undefined ? undefined : { 'content-type': 'application/json', body: JSON.stringify(body) };

/** Writes the parameters that have a value as `?name=value&…`. */
export function queryOf(query: Readonly<Record<string, string | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, value);
  return parameters.size > 0 ? `?${parameters}` : '';
}

type Headers = Readonly<Record<string, string>>;

function fetchFrom(
  url: string,
  method: string,
  path: string,
  headers: Headers,
  body: Body | undefined,
  signal: AbortSignal,
): Promise<Response> {
  return fetch(`${url}${path}`, {
    method,
    headers: {
      accept: 'application/json',
      ...headers,
      ...(body === undefined ? {} : { 'content-type': body['content-type'] }),
    },
    ...(body === undefined ? {} : { body: body.body }),
    // A redirect would carry the key to whatever address it names.
    redirect: 'error',
    signal,
  });
}

async function request(
  url: string,
  method: string,
  path: string,
  headers: Headers,
  body?: Body,
  timeoutMs = TIMEOUT_MS,
): Promise<Answer> {
  let response: Response;
  let text: string;
  try {
    response = await fetchFrom(url, method, path, headers, body, AbortSignal.timeout(timeoutMs));
    text = await response.text();
  } catch (error) {
    throw unreachable(url, error);
  }
  const answer = parse(text);
  if (response.ok && answer) return answer;
  throw refusal(url, response.status, answer);
}

async function open(url: string, method: string, path: string, headers: Headers, body?: Body): Promise<Opened> {
  const silence = createSilence();
  const response = await silence
    .limit(fetchFrom(url, method, path, headers, body, silence.signal))
    .catch((error: unknown) => {
      throw unreachable(url, error);
    });
  if (!response.ok || response.body === null)
    throw refusal(url, response.status, parse(await response.text().catch(() => '')));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  async function* chunks(): AsyncGenerator<string> {
    try {
      for (;;) {
        const { done, value } = await silence.limit(reader.read());
        if (done) return;
        yield value;
      }
    } catch (error) {
      throw unreachable(url, error);
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }
  return {
    contentType: response.headers.get('content-type') ?? '',
    header: (name) => response.headers.get(name) ?? undefined,
    chunks: chunks(),
    close: silence.abort,
  };
}

/** Aborts if one step takes too long. The time in which our own reader does not read is not counted. */
function createSilence() {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    abort: () => controller.abort(),
    async limit<T>(step: Promise<T>): Promise<T> {
      const timer = setTimeout(() => controller.abort(new DOMException('silent', 'TimeoutError')), TIMEOUT_MS);
      try {
        return await step;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/**
 * Formats a problem (RFC 9457) as one line with the URL of the service. Members beyond the standard ones, such as a rule's id, stand in
 * parentheses.
 */
function refusal(url: string, status: number, problem: Answer | undefined): RequestFailed {
  if (typeof problem?.['code'] !== 'string')
    return new RequestFailed(
      'unexpected',
      `${url} answered ${status}, and not as Rescind does: is the URL right?`,
      url,
    );
  const { code, title, detail, type: _, status: __, instance: ___, ...more } = problem;
  const extensions = Object.entries(more).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const told = [detail ?? title, extensions.length > 0 ? `(${extensions.join(', ')})` : undefined].filter(
    (part) => part !== undefined,
  );
  return new RequestFailed(code as string, `${code}: ${told.join(' ')} [${url}]`, url, problem);
}

function parse(text: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Answer) : undefined;
  } catch {
    return undefined;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused; is it running? Start it with `rescind serve`',
  ECONNRESET: 'the connection was closed before the answer',
  ENOTFOUND: 'nobody knows this host name',
  EAI_AGAIN: 'the host name could not be looked up',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not trusted; NODE_EXTRA_CA_CERTS names a file with its authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not trusted; NODE_EXTRA_CA_CERTS names a file with its authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is not trusted; NODE_EXTRA_CA_CERTS names a file with its authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

/** Says which service did not answer and why. fetch hides the reason in `cause`. */
export function unreachable(url: string, error: unknown): RequestFailed {
  const { name, message, code, cause } = error as {
    name?: string;
    message?: string;
    code?: string;
    cause?: { code?: string; message?: string };
  };
  const known = REASONS[cause?.code ?? code ?? ''];
  const reason =
    name === 'TimeoutError'
      ? `no answer in ${TIMEOUT_MS / 1000} s`
      : (known ?? cause?.message ?? message ?? 'for an unknown reason');
  return new RequestFailed('unreachable', `cannot reach Rescind at ${url}: ${reason}`, url);
}

export const pathOf = (...parts: readonly string[]): string => `/v1/${parts.map(encodeURIComponent).join('/')}`;
