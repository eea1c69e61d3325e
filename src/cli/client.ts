import type { Settings } from './settings.js';

/** Longer than a revocation may wait for its confirmation. */
const TIMEOUT_MS = 30_000;

/** The service said no, or nothing. */
export class RequestFailed extends Error {
  override readonly name = 'RequestFailed';
  readonly code: string;
  /** What the service said, where it said something. */
  readonly problem: Answer | undefined;
  constructor(code: string, message: string, problem?: Answer) {
    super(message);
    this.code = code;
    this.problem = problem;
  }
}

export type Answer = Readonly<Record<string, unknown>>;

export interface Client {
  get(path: string, query?: Readonly<Record<string, string | undefined>>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** A text of another media type. */
  postText(path: string, text: string, mediaType: string): Promise<Answer>;
  put(path: string, body: unknown): Promise<Answer>;
  delete(path: string): Promise<Answer>;
}

/** The management API of a running service. Rejects with `RequestFailed`. */
export function createClient({ url, key }: Settings): Client {
  const send = (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    request(method, path, body === undefined ? undefined : JSON.stringify(body), body === undefined ? headers : { 'content-type': 'application/json', ...headers });

  async function request(method: string, path: string, body: string | undefined, headers: Readonly<Record<string, string>>): Promise<Answer> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, accept: 'application/json', ...headers },
        ...(body === undefined ? {} : { body }),
        // A redirect would carry the key to wherever it points.
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await response.text();
    } catch (error) {
      throw new RequestFailed('unreachable', `no answer from ${url}: ${reasonOf(error)} (is \`rescind serve\` running?)`);
    }
    const answer = parse(text);
    if (response.ok && answer) return answer;
    throw refusal(response.status, answer);
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

/** One line of a problem (RFC 9457); what it carries beside the standard members, such as a rule's id, at the end. */
function refusal(status: number, problem: Answer | undefined): RequestFailed {
  if (typeof problem?.['code'] !== 'string') return new RequestFailed('unexpected', `the service answered ${status}, and not as Rescind does`);
  const { code, title, detail, type: _, status: __, instance: ___, ...more } = problem;
  const extensions = Object.entries(more).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const told = [detail ?? title, extensions.length > 0 ? `(${extensions.join(', ')})` : undefined].filter((part) => part !== undefined);
  return new RequestFailed(code as string, `${code}: ${told.join(' ')}`, problem);
}

function parse(text: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Answer) : undefined;
  } catch {
    return undefined;
  }
}

/** fetch hides why in the cause. */
function reasonOf(error: unknown): string {
  const { name, message, cause } = error as { name?: string; message?: string; cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return `nothing in ${TIMEOUT_MS / 1000} s`;
  return cause?.code ?? cause?.message ?? message ?? 'unknown';
}

export const pathOf = (...parts: readonly string[]): string => `/v1/${parts.map(encodeURIComponent).join('/')}`;
