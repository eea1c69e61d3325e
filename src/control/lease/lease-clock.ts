/**
 * One reading of a party's clocks, in milliseconds. A host that is suspended stops its monotonic clock, and shows it only
 * by a wall clock that has gone ahead when it wakes; but a wall clock also goes ahead when somebody sets it.
 */
export interface Moment {
  /** Never ahead of the time that has passed: what waits for the end of another's right goes by it. */
  readonly monotonic: number;
  /** Never behind it by more than {@link MISSED_STOP_MS} a lease: what ends a right of one's own goes by it. */
  readonly withStops: number;
}

/** e of the protocol: what a wall clock gains by less counts as its adjustment, not as stopped time. */
export const MISSED_STOP_MS = 100;

export interface ClockSources {
  readonly monotonic?: () => number;
  readonly wall?: () => number;
}

export function createLeaseClock({ monotonic = () => performance.now(), wall = () => Date.now() }: ClockSources = {}): () => Moment {
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
