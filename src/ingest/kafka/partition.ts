import type { LogBounds } from '../../platform/kafka/index.js';

/** Stored state of a partition. */
export interface StoredOffset {
  readonly next: bigint;
  readonly lastOffset: bigint | null;
  readonly lastSha256: Buffer | null;
  readonly stopped: string | null;
}

/** The record that was read last. It is read again after an assignment, so that a recreated topic is noticed. */
export interface Verified {
  readonly offset: bigint;
  readonly sha256: Buffer;
}

/** Reason for stopping a partition. `stopped` holds the code, a colon and a text for people. */
export type StopCode = 'beyond-the-end' | 'made-anew' | 'unreadable';

export const stopReason = (code: StopCode, detail: string): string => `${code}: ${detail}`;

export type Resumption =
  /** Go on at `seek`. If `verify` is given, the record at `verify.offset` must be the one that was read last. */
  | {
      readonly action: 'resume';
      readonly seek: bigint;
      readonly verify: Verified | undefined;
    }
  /** Records are gone that were never read: record the gap in the ledger, then go on at the log's start. */
  | { readonly action: 'gap'; readonly from: bigint; readonly to: bigint }
  /** The log is not the one that was read: an operator decides. */
  | { readonly action: 'stop'; readonly reason: string };

/** Decides how to go on after an assignment (design, section 3, "Offsets"). */
export function resume(stored: StoredOffset | undefined, { low, high }: LogBounds): Resumption {
  if (!stored) return { action: 'resume', seek: low, verify: undefined };
  if (stored.stopped !== null) return { action: 'stop', reason: stored.stopped };
  if (stored.next > high) {
    return {
      action: 'stop',
      reason: stopReason('beyond-the-end', `stored offset ${stored.next} lies beyond the end ${high} of the log`),
    };
  }
  if (stored.next < low) return { action: 'gap', from: stored.next, to: low };
  if (stored.lastOffset === null || stored.lastSha256 === null || stored.lastOffset < low) {
    return { action: 'resume', seek: stored.next, verify: undefined };
  }
  return {
    action: 'resume',
    seek: stored.lastOffset,
    verify: { offset: stored.lastOffset, sha256: stored.lastSha256 },
  };
}

/** Point at which an operator lets a stopped partition go on. An offset is a decimal number. */
export type ResumePoint = 'stored' | 'earliest' | 'latest' | bigint;

export interface Decision {
  readonly next: bigint;
  /** Records of the present log that will not be read, half open. */
  readonly skipped: { readonly from: bigint; readonly to: bigint } | undefined;
}

/** Works out an operator's decision. Undefined for an offset that the log does not have. */
export function decide(at: ResumePoint, stored: StoredOffset, { low, high }: LogBounds): Decision | undefined {
  const next = at === 'stored' ? stored.next : at === 'earliest' ? low : at === 'latest' ? high : at;
  if (next < low || next > high) return undefined;
  // Nothing was read of a recreated log; the stored offset belongs to the old one.
  const isAnew = stored.next > high || stored.stopped?.startsWith('made-anew:') === true;
  const from = isAnew ? low : stored.next;
  return { next, skipped: next > from ? { from, to: next } : undefined };
}
