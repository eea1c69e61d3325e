/** How long to wait before the next attempt. */
export interface RetryOptions {
  /** Milliseconds before the first repetition. Default 100. */
  readonly firstMs?: number;
  /** Milliseconds that no wait exceeds, unless the other side asks for more. Default 30,000. */
  readonly maxMs?: number;
}

export const DEFAULT_FIRST_RETRY_MS = 100;
export const DEFAULT_MAX_RETRY_MS = 30_000;
/** Longest `Retry-After` that is honoured: a wrong one must not silence a producer for a day. */
export const MAX_RETRY_AFTER_MS = 5 * 60_000;

/**
 * Milliseconds before attempt `failures + 1`: doubled with each failure, capped, and spread over its upper half, so that
 * producers that lost the other side together do not return together. `Retry-After` is a lower bound, spread likewise.
 */
export function backoffMs(failures: number, retry: RetryOptions, retryAfterMs: number | undefined, random: () => number): number {
  const { firstMs = DEFAULT_FIRST_RETRY_MS, maxMs = DEFAULT_MAX_RETRY_MS } = retry;
  const doubled = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
  const own = doubled * (0.5 + random() / 2);
  if (retryAfterMs === undefined) return own;
  const asked = Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
  return Math.max(own, asked * (1 + random() / 10));
}

/** RFC 9110, 10.2.3: seconds, or a date. Undefined for anything else. */
export function parseRetryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = /^[A-Z][a-z]{2}, /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
