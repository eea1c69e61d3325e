import { createHash } from 'node:crypto';

/** The part of the memory that proofs of one key may fill: a client that floods it shuts out itself. */
const SHARE_OF_ONE_KEY = 1 / 4;

/** `full`: this proof could not be told from a repeated one later, so it must not be taken. */
export type Remembered = 'new' | 'repeated' | 'full';

/** Proofs that were taken, for as long as they would be taken again (RFC 9449, 11.1). */
export interface ProofMemory {
  remember(jkt: string, jti: string, now: number): Remembered;
  readonly size: number;
}

interface Proof {
  readonly jkt: string;
  /** The last millisecond at which it would be taken. */
  readonly until: number;
}

/** In this process alone: a proof can be repeated once at each process that serves the resource, unless they share nonces. */
export function createProofMemory({ keepMs, maxProofs }: { readonly keepMs: number; readonly maxProofs: number }): ProofMemory {
  // All are kept equally long, so the first in is the first to go.
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
