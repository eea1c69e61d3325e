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

export interface Client {
  get(path: string, query?: Readonly<Record<string, string | undefined>>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Posts a text of the given media type. */
  postText(path: string, text: string, mediaType: string): Promise<Answer>;
  put(path: string, body: unknown): Promise<Answer>;
  delete(path: string): Promise<Answer>;
}

/** Creates a client of a running service's management API. Its methods reject with `RequestFailed`. */
export function createClient({ url, key }: Settings): Client {
  const send = (
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> =>
    request(
      method,
      path,
      body === undefined ? undefined : JSON.stringify(body),
      body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    );

  async function request(
    method: string,
    path: string,
    body: string | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, accept: 'application/json', ...headers },
        ...(body === undefined ? {} : { body }),
        // A redirect would carry the key to whatever address it names.
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await response.text();
    } catch (error) {
      throw unreachable(url, error);
    }
    const answer = parse(text);
    if (response.ok && answer) return answer;
    throw refusal(url, response.status, answer);
  }

  return {
    get: (path, query = {}) => {
      const parameters = new URLSearchParams();
      for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, value);
      return send('GET', parameters.size > 0 ? `${path}?${parameters}` : path);
    },
    post: (path, body, headers) => send('POST', path, body, headers),
    postText: (path, text, mediaType) => request('POST', path, text, { 'content-type': mediaType }),
    put: (path, body) => send('PUT', path, body),
    delete: (path) => send('DELETE', path),
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
