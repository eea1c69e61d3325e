/** An error answer of the API: RFC 9457 with a stable `code`. */
export interface Problem {
  readonly code: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
}

export function problemOf(error: unknown): Problem {
  if (isProblem(error)) return error;
  return {
    code: 'no-answer',
    title: 'The service did not answer in a way that the console understands.',
    status: 0,
    ...(error instanceof Error ? { detail: error.message } : {}),
  };
}

/** Whether the same request may succeed in a moment. */
export function mayPass({ status }: Problem): boolean {
  return status === 0 || status === 429 || status === 503;
}

function isProblem(error: unknown): error is Problem {
  return typeof error === 'object' && error !== null && 'code' in error && 'title' in error && 'status' in error;
}
