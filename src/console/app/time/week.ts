export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** An hour more, so that the moment a week ago lies in the week that ends with the hour that runs. */
const WEEK_MS = 7 * DAY_MS + HOUR_MS;

/** A week of whole hours, epoch milliseconds. */
export interface Week {
  readonly from: number;
  readonly to: number;
}

/** Finds the week that has the moment, of those that count back from the hour that runs now. */
export function weekOf(atMs: number, nowMs: number): Week {
  const end = Math.ceil(nowMs / HOUR_MS) * HOUR_MS;
  const to = end - Math.max(0, Math.ceil((end - atMs) / WEEK_MS) - 1) * WEEK_MS;
  return { from: to - WEEK_MS, to };
}

/** Goes by so much time to a whole hour. Undefined is now: nothing lies behind it. */
export function stepFrom(atMs: number, byMs: number, nowMs: number): number | undefined {
  const round = byMs > 0 ? Math.floor : Math.ceil;
  const next = round((atMs + byMs) / HOUR_MS) * HOUR_MS;
  return next < nowMs ? next : undefined;
}
