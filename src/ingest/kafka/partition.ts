/** What the database holds of a partition. */
export interface StoredOffset {
  readonly next: bigint;
  readonly lastOffset: bigint | null;
  readonly lastSha256: Buffer | null;
  readonly stopped: string | null;
}

/** Offsets at the broker: the first that is still there, and the one that the next record will get. */
export interface LogBounds {
  readonly low: bigint;
  readonly high: bigint;
}

/** Why a partition was stopped; `stopped` holds it, a colon and what people need to know. */
export type StopCode = 'beyond-the-end' | 'made-anew' | 'unreadable';

export const stopReason = (code: StopCode, detail: string): string => `${code}: ${detail}`;

export type Resumption =
  /** Go on at `seek`; the record at `verify.offset`, where given, must be the one that was read last time. */
  | { readonly action: 'resume'; readonly seek: bigint; readonly verify: { readonly offset: bigint; readonly sha256: Buffer } | undefined }
  /** Records are gone that were never read: said in the ledger, then go on at the log's start. */
  | { readonly action: 'gap'; readonly from: bigint; readonly to: bigint }
  /** The log is not the one that was read: an operator decides. */
  | { readonly action: 'stop'; readonly reason: string };

/** Where to go on after an assignment (design, section 3, "Offsets"). */
export function resume(stored: StoredOffset | undefined, { low, high }: LogBounds): Resumption {
  if (!stored) return { action: 'resume', seek: low, verify: undefined };
  if (stored.stopped !== null) return { action: 'stop', reason: stored.stopped };
  if (stored.next > high) {
    return { action: 'stop', reason: stopReason('beyond-the-end', `stored offset ${stored.next} lies beyond the end ${high} of the log`) };
  }
  if (stored.next < low) return { action: 'gap', from: stored.next, to: low };
  if (stored.lastOffset === null || stored.lastSha256 === null || stored.lastOffset < low) {
    return { action: 'resume', seek: stored.next, verify: undefined };
  }
  return { action: 'resume', seek: stored.lastOffset, verify: { offset: stored.lastOffset, sha256: stored.lastSha256 } };
}

/** Where an operator lets a stopped partition go on: an offset is a decimal number. */
export type ResumePoint = 'stored' | 'earliest' | 'latest' | bigint;

export interface Decision {
  readonly next: bigint;
  /** Records of the log as it is now that will not be read, half open. */
  readonly skipped: { readonly from: bigint; readonly to: bigint } | undefined;
}

/** What an operator's decision comes to; undefined for an offset that the log does not have. */
export function decide(at: ResumePoint, stored: StoredOffset, { low, high }: LogBounds): Decision | undefined {
  const next = at === 'stored' ? stored.next : at === 'earliest' ? low : at === 'latest' ? high : at;
  if (next < low || next > high) return undefined;
  // Of a log made anew nothing was read, whatever the stored offset says of the old one.
  const isAnew = stored.next > high || stored.stopped?.startsWith('made-anew:') === true;
  const from = isAnew ? low : stored.next;
  return { next, skipped: next > from ? { from, to: next } : undefined };
}
