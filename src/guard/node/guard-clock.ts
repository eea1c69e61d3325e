/** Milliseconds. A smaller gain of the wall clock counts as an adjustment of that clock, not as stopped time (lease protocol, e). */
export const MISSED_STOP_MS = 100;

export interface ClockSources {
  readonly monotonic?: () => number;
  readonly wall?: () => number;
}

/**
 * Creates a clock, in milliseconds, that is never more than {@link MISSED_STOP_MS} behind the time that has passed. The monotonic clock of
 * a suspended host stops; only the wall clock, which is ahead after waking, shows the gap. A wall clock that somebody sets ahead ends a
 * lease early, which is safe; a wall clock that is set back changes nothing.
 *
 * A node measures with the same arithmetic (`control/`, which a library must not bring along).
 */
export function createGuardClock({
  monotonic = () => performance.now(),
  wall = () => Date.now(),
}: ClockSources = {}): () => number {
  let lead = wall() - monotonic();
  let stopped = 0;
  return () => {
    const now = monotonic();
    const gained = wall() - now - lead;
    if (gained > MISSED_STOP_MS) stopped += gained;
    if (gained > MISSED_STOP_MS || gained < 0) lead += gained;
    return now + stopped;
  };
}
