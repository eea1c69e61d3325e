/** Client of Rescind's management API. Every call is made with one bearer key. */
export interface RescindAdmin {
  readonly url: string;
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<T>;
}

/** An answer that was not a success. `code` is the problem's stable code (RFC 9457). */
export class RescindRefused extends Error {
  override readonly name = 'RescindRefused';
  readonly status: number;
  readonly code: string | undefined;

  constructor(path: string, status: number, problem: { code?: string; detail?: string; title?: string }) {
    super(`${path}: ${status} ${problem.code ?? ''} ${problem.detail ?? problem.title ?? ''}`.trim());
    this.status = status;
    this.code = problem.code;
  }
}

/** Longer than Rescind waits for a dead node before it confirms a revocation (design, section 4). */
const TIMEOUT_MS = 30_000;

export function createRescindAdmin(url: string, bearerKey: string): RescindAdmin {
  async function send<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        authorization: `Bearer ${bearerKey}`,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    const answer = text === '' ? {} : (JSON.parse(text) as unknown);
    if (!response.ok) throw new RescindRefused(path, response.status, answer as { code?: string });
    return answer as T;
  }
  return {
    url,
    get: (path) => send('GET', path),
    post: (path, body, headers) => send('POST', path, body, headers),
  };
}
