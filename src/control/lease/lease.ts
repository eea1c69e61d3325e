import type { Moment } from './lease-clock.js';
import type { Seq } from '../log/records.js';

/** Durations of the lease protocol (README, "The lease protocol"). Safe when ρ (f L + e) ≤ L. */
export interface LeaseTiming {
  /** L, milliseconds: a row whose counter has not moved for so long is reaped. */
  readonly leaseMs: number;
  /** f: the part of a lease that its holder uses. */
  readonly fraction: number;
}

/** f of every node and guard. With L of 2 s and e of 100 ms it holds up to clocks that run a quarter apart. */
export const LEASE_FRACTION = 0.75;

/** Guards that hold a grant of one node at a time; further ones are refused. */
export const MAX_GRANTS = 10_000;

/**
 * `behind`: apply what the feed says and ask again. `no-lease`: the node has none itself. `leaving`: ask another node.
 * `full`: the node holds `MAX_GRANTS`.
 */
export type GrantRefusal = 'behind' | 'no-lease' | 'leaving' | 'full';

/** `grantMs` is G: the guard answers while f G has not passed on its own clock since before it asked. */
/**
 * The seq up to which a node and its guards have applied records, a number a tenant: a rule concerns the guards of its own tenant alone, so the
 * protocol runs once for each tenant, over one row, one counter and one lease.
 */
export interface Confirmation {
  /** For every tenant that is not in `behind`: what the node has applied. */
  readonly applied: Seq;
  /** Tenants with a guard that has applied less: the least of its guards. */
  readonly behind: ReadonlyMap<string, Seq>;
}

/** Without a tenant: of all of them. */
export function confirmedFor({ applied, behind }: Confirmation, tenant?: string): Seq {
  if (tenant !== undefined) return behind.get(tenant) ?? applied;
  let least = applied;
  for (const seq of behind.values()) if (seq < least) least = seq;
  return least;
}

export type GrantAnswer = { readonly grantMs: number } | { readonly refusal: GrantRefusal };

/**
 * What one node knows of its right to answer, as a state machine without a clock, a database or a timer: the process
 * drives it, and so does the model that checks the protocol. What the node may do itself goes by `withStops`, what it
 * waits for in others by `monotonic` (see {@link Moment}).
 *
 * Invariant: while `mayAnswer` is true, every record with a seq that somebody was told is in force has been applied here.
 */
export interface Lease {
  readonly held: Seq;
  /** The row that this node lives in; undefined before a join was heard and after the row was seen gone. */
  readonly row: string | undefined;
  /** The log has been read to its end since the join: a renewal counts. */
  readonly isCaughtUp: boolean;
  /** The INSERT of a row under a fresh id was heard. It gives no lease. */
  joined(id: string): void;
  /** The log was read and applied up to here, by a statement that began after the join was heard. */
  applied(seq: Seq, toTheEnd: boolean): void;
  /** The records that this node and its guards have applied. */
  confirmable(now: Moment): Confirmation;
  /** The same, about to be sent with a renewal or an acknowledgement: from now on no guard of a tenant below it gets a grant. */
  confirm(now: Moment): Confirmation;
  /** The renewal sent after `sent` was read found the row `id`, or did not. Where no answer came, it is not called. */
  renewed(sent: Moment, id: string, found: boolean): void;
  /** Read in the same synchronous step as the decision, with a clock read in it. */
  mayAnswer(now: Moment): boolean;
  /** How long it may answer without another renewal; 0 when it may not. For people: decide by `mayAnswer`. */
  remainingMs(now: Moment): number;
  /** A guard of the tenant that has applied `held` wants to answer on its own. Recorded before it is answered. */
  grant(guard: string, held: Seq, now: Moment, tenant?: string): GrantAnswer;
  /** The guard has stopped using its grant. */
  release(guard: string): void;
  /** No more grants; answers go on. */
  stopGranting(): void;
  /** No more grants and no more answers. The row may be deleted once `mayGo`. */
  leave(): void;
  mayGo(now: Moment): boolean;
  /** Guards whose grant runs. */
  guards(now: Moment): number;
  snapshot(): LeaseSnapshot;
}

export interface Grant {
  readonly guard: string;
  readonly tenant: string;
  readonly applied: Seq;
  /** `monotonic`. */
  readonly until: number;
}

/** All that a lease remembers. */
export interface LeaseSnapshot {
  readonly held: Seq;
  readonly row: string | undefined;
  readonly isCaughtUp: boolean;
  /** `withStops` before the renewal was sent that last found the row. */
  readonly renewedAt: number | undefined;
  /** The highest that was sent for tenants that are not in `sentBehind`, and for each that is. */
  readonly highestSent: Seq;
  readonly sentBehind: readonly (readonly [tenant: string, seq: Seq])[];
  readonly grants: readonly Grant[];
  readonly isGranting: boolean;
  readonly isAnswering: boolean;
}

/** For callers that have no tenants to tell apart. */
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
  // `renewedAt` belongs to `row`: whatever changes the row forgets it, so that a lease never outlives its join.
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
    for (const { tenant, applied } of grants.values()) if (applied < (behind.get(tenant) ?? held)) behind.set(tenant, applied);
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
      const sent = [...confirmation.behind].map(([tenant, seq]) => [tenant, seq > sentFor(tenant) ? seq : sentFor(tenant)] as const);
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
    remainingMs: (now) => (isAnswering && renewedAt !== undefined ? Math.max(0, usableMs - (now.withStops - renewedAt)) : 0),
    grant(guard, guardHeld, now, tenant = ONE_TENANT) {
      if (!isGranting) return { refusal: 'leaving' };
      if (!runs(now)) return { refusal: 'no-lease' };
      // Not below `held`: at many rules a second an honest guard would be refused for ever.
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
    snapshot: () => ({ held, row, isCaughtUp, renewedAt, highestSent, sentBehind: [...sentBehind], grants: [...grants.values()], isGranting, isAnswering }),
  };
}
