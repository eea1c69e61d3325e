/** Seconds that an entry is kept past `exp`; longer than the verifier's clock skew, within which it would still accept the ID-JAG. */
const MARGIN_SECONDS = 60;

interface Identified {
  readonly iss: string;
  readonly jti: string;
  readonly exp: number;
}

/** Remembers which ID-JAGs were used. MCP profile, section 7.4.2: a second use is refused at least until `exp`. */
export interface ReplayGuard {
  /**
   * Marks the ID-JAG as used, in one synchronous step. Returns false if it was used already. The key includes the issuer, because a hostile
   * issuer can reuse another's `jti`.
   */
  use(idJag: Identified): boolean;
  /** Takes the mark back if the redemption failed for a reason that is not the client's, so that the client may try again. */
  release(idJag: Identified): void;
}

export function createReplayGuard(now: () => number = Date.now): ReplayGuard {
  const used = new Map<string, number>();
  const key = ({ iss, jti }: Identified): string => JSON.stringify([iss, jti]);
  return {
    use(idJag) {
      const seconds = Math.floor(now() / 1000);
      for (const [id, forgetAt] of used) {
        if (forgetAt < seconds) used.delete(id);
      }
      if (used.has(key(idJag))) return false;
      used.set(key(idJag), idJag.exp + MARGIN_SECONDS);
      return true;
    },
    release: (idJag) => void used.delete(key(idJag)),
  };
}
