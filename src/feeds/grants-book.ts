/** A guard is late if it has not applied a record that its node applied longer ago than this. */
export const LATE_AFTER_MS = 2_000;

/** How long a guard that was late twice in a row gets no grant. Its caller gets none for guards without a grant meanwhile. */
export const SLOW_REFUSED_MS = 30_000;

/** Guards of one caller that may hold a grant of this node at the same time. A further one is refused. */
export const MAX_GUARDS_A_CALLER = 1_000;

/** The same bound for one tenant, so that no tenant takes the room of others. */
export const MAX_GUARDS_A_TENANT = 2_500;

/** Owner of a guard. */
export interface Owner {
  readonly caller: string;
  readonly tenant: string;
}

export type Verdict =
  | { readonly may: true }
  | { readonly may: false; readonly error: 'behind' | 'full' }
  | { readonly may: false; readonly error: 'slow'; readonly retryAfterMs: number };

/**
 * Records who holds a grant and who delays orders. Every order waits for each guard with a running grant. A guard that is late therefore
 * gets one more grant but no third; a late guard without a grant gets none; after a refusal its caller cannot go on under a fresh id.
 * Times are milliseconds on a clock that never goes back.
 */
export interface GrantsBook {
  /** Decides whether the guard may ask for a grant under the node's lease. */
  judge(owner: Owner, guard: string, isLate: boolean, now: number): Verdict;
  granted(owner: Owner, guard: string, until: number): void;
  released(caller: string, guard: string): void;
  /** Number of guards whose grant is running. */
  running(now: number): number;
  /** Drops entries that have ended. */
  prune(now: number): void;
}

interface Guard {
  until: number;
  wasLate: boolean;
  refusedUntil: number;
}

interface OfCaller {
  readonly tenant: string;
  readonly guards: Map<string, Guard>;
  refusedUntil: number;
}

const MAY: Verdict = { may: true };

export function createGrantsBook({
  maxGuards = MAX_GUARDS_A_CALLER,
  maxGuardsATenant = MAX_GUARDS_A_TENANT,
}: {
  readonly maxGuards?: number;
  readonly maxGuardsATenant?: number;
} = {}): GrantsBook {
  const callers = new Map<string, OfCaller>();

  function ofCaller({ caller, tenant }: Owner): OfCaller {
    let found = callers.get(caller);
    if (!found) callers.set(caller, (found = { tenant, guards: new Map(), refusedUntil: -Infinity }));
    return found;
  }

  function pruneGuards({ guards }: OfCaller, now: number): void {
    for (const [id, { until, refusedUntil }] of guards) if (until <= now && refusedUntil <= now) guards.delete(id);
  }

  function refuse(until: number, now: number): Verdict {
    return { may: false, error: 'slow', retryAfterMs: until - now };
  }

  function judgeNew(caller: OfCaller, isLate: boolean, now: number): Verdict {
    if (caller.refusedUntil > now) return refuse(caller.refusedUntil, now);
    if (isLate) return { may: false, error: 'behind' };
    if (caller.guards.size >= maxGuards) pruneGuards(caller, now);
    return caller.guards.size >= maxGuards || isTenantFull(caller.tenant, now) ? { may: false, error: 'full' } : MAY;
  }

  function isTenantFull(tenant: string, now: number): boolean {
    const own = [...callers.values()].filter((one) => one.tenant === tenant);
    const count = (): number => own.reduce((sum, { guards }) => sum + guards.size, 0);
    if (count() < maxGuardsATenant) return false;
    for (const one of own) pruneGuards(one, now);
    return count() >= maxGuardsATenant;
  }

  return {
    judge(owner, id, isLate, now) {
      const caller = ofCaller(owner);
      const guard = caller.guards.get(id);
      if (guard && guard.refusedUntil > now) return refuse(guard.refusedUntil, now);
      if (!guard || guard.until <= now) {
        caller.guards.delete(id);
        return judgeNew(caller, isLate, now);
      }
      if (isLate && guard.wasLate) {
        guard.refusedUntil = caller.refusedUntil = now + SLOW_REFUSED_MS;
        return refuse(guard.refusedUntil, now);
      }
      guard.wasLate = isLate;
      return MAY;
    },
    granted(owner, id, until) {
      const { guards } = ofCaller(owner);
      const guard = guards.get(id);
      if (guard) guard.until = until;
      else guards.set(id, { until, wasLate: false, refusedUntil: -Infinity });
    },
    released(callerId, id) {
      const guard = callers.get(callerId)?.guards.get(id);
      if (guard) guard.until = -Infinity;
    },
    running(now) {
      let count = 0;
      for (const { guards } of callers.values()) for (const { until } of guards.values()) if (until > now) count++;
      return count;
    },
    prune(now) {
      for (const [id, caller] of callers) {
        pruneGuards(caller, now);
        if (caller.guards.size === 0 && caller.refusedUntil <= now) callers.delete(id);
      }
    },
  };
}
