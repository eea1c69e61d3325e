/**
 * One reading of a party's clocks, in milliseconds. Suspending a host stops its monotonic clock. Afterwards only the wall clock shows
 * the stop, because it has gone ahead; but a wall clock also goes ahead when somebody sets it.
 */
export interface Moment {
  /** Never ahead of the time that has passed. Use it to wait for the end of another party's right. */
  readonly monotonic: number;
  /** Behind the time that has passed by at most {@link MISSED_STOP_MS} a lease. Use it to end a right of one's own. */
  readonly withStops: number;
}

/** e of the protocol. A wall clock that gains less than this counts as adjusted; one that gains more counts as stopped time. */
export const MISSED_STOP_MS = 100;

export interface ClockSources {
  readonly monotonic?: () => number;
  readonly wall?: () => number;
}

export function createLeaseClock({
  monotonic = () => performance.now(),
  wall = () => Date.now(),
}: ClockSources = {}): () => Moment {
  let lead = wall() - monotonic();
  let stopped = 0;
  return () => {
    const now = monotonic();
    const gained = wall() - now - lead;
    if (gained > MISSED_STOP_MS) stopped += gained;
    if (gained > MISSED_STOP_MS || gained < 0) lead += gained;
    return { monotonic: now, withStops: now + stopped };
  };
}
