import { createHash } from 'node:crypto';

/** Part of the memory that proofs of one key may fill, so that a client that floods the memory shuts out only itself. */
const SHARE_OF_ONE_KEY = 1 / 4;

/** `full`: a repetition of this proof could not be recognized later, so the proof must not be accepted. */
export type Remembered = 'new' | 'repeated' | 'full';

/** Remembers accepted proofs for as long as they could be accepted again (RFC 9449, 11.1). */
export interface ProofMemory {
  remember(jkt: string, jti: string, now: number): Remembered;
  readonly size: number;
}

interface Proof {
  readonly jkt: string;
  /** The last millisecond at which the proof would be accepted. */
  readonly until: number;
}

/**
 * Creates the memory of this process alone: a proof can be repeated once at each process that serves the resource, unless the processes
 * share nonces.
 */
export function createProofMemory({
  keepMs,
  maxProofs,
}: {
  readonly keepMs: number;
  readonly maxProofs: number;
}): ProofMemory {
  // All proofs are kept equally long, so the oldest entry is the first to go.
  const proofs = new Map<string, Proof>();
  const countOf = new Map<string, number>();
  const maxOfOneKey = Math.max(1, Math.floor(maxProofs * SHARE_OF_ONE_KEY));

  function forgetOld(now: number): void {
    for (const [digest, { jkt, until }] of proofs) {
      if (until >= now) return;
      proofs.delete(digest);
      const left = countOf.get(jkt)! - 1;
      if (left === 0) countOf.delete(jkt);
      else countOf.set(jkt, left);
    }
  }

  return {
    remember(jkt, jti, now) {
      forgetOld(now);
      const digest = createHash('sha256').update(`${jkt}\0${jti}`).digest().toString('latin1', 0, 16);
      if (proofs.has(digest)) return 'repeated';
      const count = countOf.get(jkt) ?? 0;
      if (proofs.size >= maxProofs || count >= maxOfOneKey) return 'full';
      proofs.set(digest, { jkt, until: now + keepMs });
      countOf.set(jkt, count + 1);
      return 'new';
    },
    get size() {
      return proofs.size;
    },
  };
}
