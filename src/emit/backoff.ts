/** How long a producer waits before the next attempt. */
export interface RetryOptions {
  /** Milliseconds before the first repetition. Default 100. */
  readonly firstMs?: number;
  /** Longest wait in milliseconds, unless the other side asks for more. Default 30,000. */
  readonly maxMs?: number;
}

export const DEFAULT_FIRST_RETRY_MS = 100;
export const DEFAULT_MAX_RETRY_MS = 30_000;
/** Longest `Retry-After` that is honoured, in milliseconds: a wrong header must not silence a producer for a day. */
export const MAX_RETRY_AFTER_MS = 5 * 60_000;

/**
 * Computes the milliseconds to wait before attempt `failures + 1`. The wait doubles with each failure, up to `maxMs`, and is drawn from the
 * upper half of that value, so that producers that lost the other side together do not return together. `retryAfterMs` is a lower bound, to
 * which up to a tenth is added. `random` returns a number from 0 to 1.
 */
export function backoffMs(
  failures: number,
  retry: RetryOptions,
  retryAfterMs: number | undefined,
  random: () => number,
): number {
  const { firstMs = DEFAULT_FIRST_RETRY_MS, maxMs = DEFAULT_MAX_RETRY_MS } = retry;
  const doubled = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
  const own = doubled * (0.5 + random() / 2);
  if (retryAfterMs === undefined) return own;
  const asked = Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
  return Math.max(own, asked * (1 + random() / 10));
}

/**
 * Reads a `Retry-After` header (RFC 9110, 10.2.3), which is seconds or a date, and returns milliseconds. Returns undefined for anything
 * else.
 */
export function parseRetryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = /^[A-Z][a-z]{2}, /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
