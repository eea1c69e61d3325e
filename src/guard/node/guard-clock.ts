/** What the wall clock gains by less counts as its adjustment, not as stopped time (lease protocol, e). */
export const MISSED_STOP_MS = 100;

export interface ClockSources {
  readonly monotonic?: () => number;
  readonly wall?: () => number;
}

/**
 * Milliseconds that never fall behind the time that has passed by more than {@link MISSED_STOP_MS}: a host that is
 * suspended stops its monotonic clock, and shows it only by a wall clock that has gone ahead when it wakes. A wall clock
 * that somebody sets ahead ends a lease early, which is safe; one that is set back changes nothing.
 *
 * A node measures with the same arithmetic (`control/`, which a library must not bring along).
 */
export function createGuardClock({ monotonic = () => performance.now(), wall = () => Date.now() }: ClockSources = {}): () => number {
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
