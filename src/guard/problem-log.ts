import type { GuardLog } from './guard-options.js';

/** Milliseconds before the same problem is logged again, so that an unreachable node does not fill the log. */
const REPEAT_MS = 30_000;

/** Logs problems as warnings, a lasting problem only now and then. `what` must not contain a token or a secret. */
export type ProblemLog = (message: string, what: Readonly<Record<string, unknown>>) => void;

export function createProblemLog(log: GuardLog | undefined, clock: () => number): ProblemLog {
  const loggedAt = new Map<string, number>();
  return (message, what) => {
    const key = `${message} ${String(what['status'] ?? '')}`;
    const now = clock();
    if (now - (loggedAt.get(key) ?? Number.NEGATIVE_INFINITY) < REPEAT_MS) return;
    loggedAt.set(key, now);
    log?.warn(what, message);
  };
}

/** Returns the code of a failed `fetch`, such as ECONNREFUSED; never its message, which may contain what was sent. */
export function failureCode(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : error instanceof Error ? error.name : 'unknown';
}
