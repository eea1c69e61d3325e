/** An error answer of the API: RFC 9457 with a stable `code`. */
export interface Problem {
  readonly code: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
}

const NO_ANSWER = {
  code: 'no-answer',
  title: 'The service did not answer in a way that the console understands.',
} as const;

export function problemOf(error: unknown): Problem {
  if (isProblem(error)) return error;
  return { ...NO_ANSWER, status: 0, ...(error instanceof Error ? { detail: error.message } : {}) };
}

/** Makes a problem of a refusal that a proxy before the service wrote, in words of its own or in none. */
export async function asProblem(response: Response): Promise<Response> {
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  if (isProblem(body)) return response;
  const { status } = response;
  const problem: Problem = {
    ...NO_ANSWER,
    status,
    detail: `Something before the service answered with status ${status}.`,
  };
  return new Response(JSON.stringify(problem), { status, headers: { 'content-type': 'application/problem+json' } });
}

/** Whether the same request may succeed in a moment. */
export function mayPass({ status }: Problem): boolean {
  return [0, 429, 502, 503, 504].includes(status);
}

function isProblem(error: unknown): error is Problem {
  return typeof error === 'object' && error !== null && 'code' in error && 'title' in error && 'status' in error;
}
