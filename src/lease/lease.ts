import type { Moment } from './clock.js';
import type { Seq } from './seq.js';

/** Durations of the lease protocol (lease-protocol.md). Safe when ρ (f L + e) ≤ L. */
export interface LeaseTiming {
  /** L, milliseconds. A row is reaped if its counter has not moved for L. */
  readonly leaseMs: number;
  /** f: the part of a lease that its holder uses. */
  readonly fraction: number;
}

/** f of every node and guard. With L of 2 s and e of 100 ms the protocol is safe up to clocks that run a quarter apart. */
export const LEASE_FRACTION = 0.75;

/** Guards that may hold a grant of one node at a time; further guards are refused. */
export const MAX_GRANTS = 10_000;

/**
 * Why a guard gets no grant. `behind`: apply the feed and ask again. `no-lease`: the node has no lease itself. `leaving`: ask
 * another node. `full`: the node has given `MAX_GRANTS` grants.
 */
export type GrantRefusal = 'behind' | 'no-lease' | 'leaving' | 'full';

/**
 * The seq up to which a node and its guards have applied records, one number a tenant. A rule concerns only the guards of its own
 * tenant, so the protocol runs once for each tenant, over one row, one counter and one lease.
 */
export interface Confirmation {
  /** The seq for every tenant that is not in `behind`: what the node has applied. */
  readonly applied: Seq;
  /** The seq for each tenant with a guard that has applied less than the node: the least of that tenant's guards. */
  readonly behind: ReadonlyMap<string, Seq>;
}

/** Returns the confirmed seq of a tenant or, without a tenant, the least of all tenants. */
export function confirmedFor({ applied, behind }: Confirmation, tenant?: string): Seq {
  if (tenant !== undefined) return behind.get(tenant) ?? applied;
  let least = applied;
  for (const seq of behind.values()) if (seq < least) least = seq;
  return least;
}

/** `grantMs` is G: the guard may answer while less than f G has passed on its own clock since before it asked. */
export type GrantAnswer = { readonly grantMs: number } | { readonly refusal: GrantRefusal };

/**
 * One node's right to answer, as a state machine without a clock, a database or a timer. The process drives it, and so does the
 * model that checks the protocol. The node's own right is measured by `withStops`; the rights of others that it waits for are
 * measured by `monotonic` (see {@link Moment}).
 *
 * Invariant: while `mayAnswer` is true, every record with a seq that somebody was told is in force has been applied here.
 */
export interface Lease {
  /** The seq up to which this node has applied the log. */
  readonly held: Seq;
  /** Id of this node's row; undefined before the reply to a join and after the row was found gone. */
  readonly row: string | undefined;
  /** True once the log has been read to its end since the join; only then does a renewal give a lease. */
  readonly isCaughtUp: boolean;
  /** Notes the reply to the INSERT of a row under a fresh id. It gives no lease. */
  joined(id: string): void;
  /** Notes that the log was read and applied up to `seq`, by a statement that began after the reply to the join. */
  applied(seq: Seq, toTheEnd: boolean): void;
  /** Returns the seqs that this node and its guards have applied. */
  confirmable(now: Moment): Confirmation;
  /** Returns the same, to be sent with a renewal or an acknowledgement. From this call on, a guard below its tenant's seq gets no grant. */
  confirm(now: Moment): Confirmation;
  /** Notes whether a renewal found the row `id`; `sent` was read before it was sent. Do not call it if no answer came. */
  renewed(sent: Moment, id: string, found: boolean): void;
  /** Says whether the node may answer. Call it in the same synchronous step as the decision, with a clock read in that step. */
  mayAnswer(now: Moment): boolean;
  /** Returns how long the node may answer without another renewal; 0 if it may not. For display only: decide by `mayAnswer`. */
  remainingMs(now: Moment): number;
  /** Grants or refuses a lease to a guard of the tenant that has applied the log up to `held`. A grant is recorded before it is returned. */
  grant(guard: string, held: Seq, now: Moment, tenant?: string): GrantAnswer;
  /** Forgets the grant of a guard that has stopped using it. */
  release(guard: string): void;
  /** Refuses further grants; the node goes on answering. */
  stopGranting(): void;
  /** Refuses further grants and answers. The row may be deleted once `mayGo` is true. */
  leave(): void;
  mayGo(now: Moment): boolean;
  /** Counts the guards whose grant still runs. */
  guards(now: Moment): number;
  snapshot(): LeaseSnapshot;
}

export interface Grant {
  readonly guard: string;
  readonly tenant: string;
  readonly applied: Seq;
  /** End of the grant on the `monotonic` clock. */
  readonly until: number;
}

/** The whole state of a lease. */
export interface LeaseSnapshot {
  readonly held: Seq;
  readonly row: string | undefined;
  readonly isCaughtUp: boolean;
  /** `withStops` just before the last renewal that found the row was sent. */
  readonly renewedAt: number | undefined;
  /** The highest seq that was sent as confirmed: for tenants that are not in `sentBehind`, and for each tenant that is. */
  readonly highestSent: Seq;
  readonly sentBehind: readonly (readonly [tenant: string, seq: Seq])[];
  readonly grants: readonly Grant[];
  readonly isGranting: boolean;
  readonly isAnswering: boolean;
}

/** The tenant of callers that do not tell tenants apart. */
const ONE_TENANT = '';

const NOTHING: LeaseSnapshot = {
  held: 0n as Seq,
  row: undefined,
  isCaughtUp: false,
  renewedAt: undefined,
  highestSent: 0n as Seq,
  sentBehind: [],
  grants: [],
  isGranting: true,
  isAnswering: true,
};

export function createLease({ leaseMs, fraction }: LeaseTiming, from: LeaseSnapshot = NOTHING): Lease {
  const usableMs = leaseMs * fraction;
  const grants = new Map(from.grants.map((grant) => [grant.guard, grant]));
  const sentBehind = new Map(from.sentBehind);
  // `renewedAt` belongs to `row`: every change of the row clears it, so that a lease never outlives its join.
  let { held, row, isCaughtUp, renewedAt, highestSent, isGranting, isAnswering } = from;

  const runs = (now: Moment): boolean => renewedAt !== undefined && now.withStops - renewedAt < usableMs;

  function becomeStranger(id: string | undefined): void {
    row = id;
    isCaughtUp = false;
    renewedAt = undefined;
  }

  function forgetEnded(now: Moment): void {
    for (const { guard, until } of grants.values()) if (until <= now.monotonic) grants.delete(guard);
  }

  const sentFor = (tenant: string): Seq => sentBehind.get(tenant) ?? highestSent;

  function confirmable(now: Moment): Confirmation {
    forgetEnded(now);
    const behind = new Map<string, Seq>();
    for (const { tenant, applied } of grants.values())
      if (applied < (behind.get(tenant) ?? held)) behind.set(tenant, applied);
    return { applied: held, behind };
  }

  return {
    get held() {
      return held;
    },
    get row() {
      return row;
    },
    get isCaughtUp() {
      return isCaughtUp;
    },
    joined: (id) => becomeStranger(id),
    applied(seq, toTheEnd) {
      if (seq > held) held = seq;
      if (toTheEnd && row !== undefined) isCaughtUp = true;
    },
    confirmable,
    confirm(now) {
      const confirmation = confirmable(now);
      const sent = [...confirmation.behind].map(
        ([tenant, seq]) => [tenant, seq > sentFor(tenant) ? seq : sentFor(tenant)] as const,
      );
      sentBehind.clear();
      for (const [tenant, seq] of sent) sentBehind.set(tenant, seq);
      // The position that the node has applied never falls.
      highestSent = confirmation.applied;
      return confirmation;
    },
    renewed(sent, id, found) {
      if (id !== row) return;
      if (!found) becomeStranger(undefined);
      else if (isCaughtUp) renewedAt = sent.withStops;
    },
    mayAnswer: (now) => isAnswering && runs(now),
    remainingMs: (now) =>
      isAnswering && renewedAt !== undefined ? Math.max(0, usableMs - (now.withStops - renewedAt)) : 0,
    grant(guard, guardHeld, now, tenant = ONE_TENANT) {
      if (!isGranting) return { refusal: 'leaving' };
      if (!runs(now)) return { refusal: 'no-lease' };
      // Compared with the seq sent, not with `held`: at many rules a second an honest guard would be refused for ever.
      if (guardHeld < sentFor(tenant)) return { refusal: 'behind' };
      if (!grants.has(guard) && grants.size >= MAX_GRANTS) {
        forgetEnded(now);
        if (grants.size >= MAX_GRANTS) return { refusal: 'full' };
      }
      const grantMs = usableMs - (now.withStops - renewedAt!);
      grants.set(guard, { guard, tenant, applied: guardHeld, until: now.monotonic + grantMs });
      return { grantMs };
    },
    release: (guard) => void grants.delete(guard),
    stopGranting() {
      isGranting = false;
    },
    leave() {
      isGranting = false;
      isAnswering = false;
    },
    mayGo(now) {
      forgetEnded(now);
      return !isAnswering && grants.size === 0;
    },
    guards(now) {
      forgetEnded(now);
      return grants.size;
    },
    snapshot: () => ({
      held,
      row,
      isCaughtUp,
      renewedAt,
      highestSent,
      sentBehind: [...sentBehind],
      grants: [...grants.values()],
      isGranting,
      isAnswering,
    }),
  };
}
