import type { Seq } from './records.js';

/** Durations of the lease protocol (see README, "The lease protocol"). Safe when ρ (f L + e) ≤ L. */
export interface LeaseTiming {
  /** L, milliseconds: a row whose counter has not moved for so long is reaped. */
  readonly leaseMs: number;
  /** f: the part of a lease that its holder uses. */
  readonly fraction: number;
}

export const DEFAULT_LEASE_TIMING: LeaseTiming = { leaseMs: 4_000, fraction: 0.75 };

/** Guards that hold a grant of one node at a time; further ones are refused. */
export const MAX_GRANTS = 10_000;

export type GrantRefusal = 'behind' | 'no-lease' | 'leaving' | 'full';

export type GrantAnswer = { readonly grantMs: number } | { readonly refusal: GrantRefusal };

/**
 * What one node knows of its right to answer, as a state machine without a clock, a database or a timer: the process
 * drives it, and so does the model that checks the protocol. Times are milliseconds of the node's own monotonic clock.
 *
 * Invariant: while `mayAnswer` is true, every record with a seq that somebody was told is in force has been applied here.
 */
export interface Lease {
  readonly held: Seq;
  /** The row that this node lives in, or undefined before it has one. */
  readonly row: string | undefined;
  /** A join under a fresh id was heard. It gives no lease. */
  joined(id: string): void;
  /** The control log was read and applied up to here, by a statement that began after the join was heard. */
  applied(seq: Seq): void;
  /** What to send with a renewal or an acknowledgement: the least of what this node and its guards have applied. */
  confirm(now: number): Seq;
  /** The renewal that was sent after `t0` was read found the row `id`, or did not. No answer: do not call. */
  renewed(t0: number, id: string, found: boolean): void;
  /** In the same synchronous step as the decision. */
  mayAnswer(now: number): boolean;
  /** A guard that has applied `held` wants to answer on its own. Recorded before it is answered. */
  grant(guard: string, held: Seq, now: number): GrantAnswer;
  /** A guard no longer uses its grant. */
  release(guard: string): void;
  /** No more grants and no more answers; `mayGo` says when the row may be deleted. */
  leave(): void;
  mayGo(now: number): boolean;
  /** Guards whose grant runs. */
  guards(now: number): number;
}

interface Grant {
  readonly applied: Seq;
  readonly until: number;
}

export function createLease({ leaseMs, fraction }: LeaseTiming): Lease {
  const usableMs = leaseMs * fraction;
  const grants = new Map<string, Grant>();
  let held = 0n as Seq;
  let row: string | undefined;
  let lease: { readonly t0: number; readonly row: string } | undefined;
  let highestConfirmed = 0n as Seq;
  let leaving = false;

  const runs = (now: number): boolean => lease !== undefined && lease.row === row && now - lease.t0 < usableMs;

  function forgetEnded(now: number): void {
    for (const [guard, { until }] of grants) if (until <= now) grants.delete(guard);
  }

  return {
    get held() {
      return held;
    },
    get row() {
      return row;
    },
    joined(id) {
      row = id;
      lease = undefined;
    },
    applied(seq) {
      if (seq > held) held = seq;
    },
    confirm(now) {
      forgetEnded(now);
      let least = held;
      for (const { applied } of grants.values()) if (applied < least) least = applied;
      if (least > highestConfirmed) highestConfirmed = least;
      return least;
    },
    renewed(t0, id, found) {
      if (id !== row) return;
      if (found) lease = { t0, row: id };
      else {
        row = undefined;
        lease = undefined;
      }
    },
    mayAnswer: (now) => !leaving && runs(now),
    grant(guard, guardHeld, now) {
      if (leaving) return { refusal: 'leaving' };
      if (!runs(now)) return { refusal: 'no-lease' };
      // Not `held`: at many rules a second an honest guard would be refused for ever.
      if (guardHeld < highestConfirmed) return { refusal: 'behind' };
      forgetEnded(now);
      if (!grants.has(guard) && grants.size >= MAX_GRANTS) return { refusal: 'full' };
      const grantMs = usableMs - (now - lease!.t0);
      grants.set(guard, { applied: guardHeld, until: now + grantMs });
      return { grantMs };
    },
    release: (guard) => void grants.delete(guard),
    leave() {
      leaving = true;
    },
    mayGo(now) {
      forgetEnded(now);
      return leaving && grants.size === 0;
    },
    guards(now) {
      forgetEnded(now);
      return grants.size;
    },
  };
}
