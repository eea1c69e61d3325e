/** Attempts of one delivery. After the last one it is dead, until somebody replays it. */
export const MOST_ATTEMPTS = 15;
const FIRST_PAUSE_MS = 10_000;
const MOST_PAUSE_MS = 4 * 3_600_000;

/**
 * Returns the pause after the `attempts`-th attempt has failed: any time up to a bound that doubles (full jitter), so that deliveries that failed together
 * do not come back together. With 15 attempts a receiver may be away for half a day. `random` lies in [0, 1).
 */
export function pauseAfter(attempts: number, random: number, askedMs = 0): number {
  const bound = Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), MOST_PAUSE_MS);
  return Math.max(Math.floor(random * bound), askedMs);
}
