/** A guard that has not applied what its node had had for longer is late. */
export const LATE_AFTER_MS = 2_000;

/** How long a guard that was late twice in a row gets no grant, and its caller none for guards that hold none. */
export const SLOW_REFUSED_MS = 30_000;

/** Guards of one caller that hold a grant of this node at the same time; one more is refused. */
export const MAX_GUARDS_A_CALLER = 1_000;

/** Share of one tenant, so that no tenant takes the room of others. */
export const MAX_GUARDS_A_TENANT = 2_500;

/** Whose guard it is. */
export interface Owner {
  readonly caller: string;
  readonly tenant: string;
}

export type Verdict =
  | { readonly may: true }
  | { readonly may: false; readonly error: 'behind' | 'full' }
  | { readonly may: false; readonly error: 'slow'; readonly retryAfterMs: number };

/**
 * Who holds a grant, and who holds up orders. A grant that runs makes every order wait for its guard; so one that is late
 * gets one more and no third, one that holds none and is late gets none, and after a refusal its caller cannot go on under
 * a fresh id. Times are milliseconds on a clock that only goes forward.
 */
export interface GrantsBook {
  /** Whether the guard may ask the node's lease. */
  judge(owner: Owner, guard: string, isLate: boolean, now: number): Verdict;
  granted(owner: Owner, guard: string, until: number): void;
  released(caller: string, guard: string): void;
  /** Guards whose grant runs. */
  running(now: number): number;
  /** Drops what is over. */
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

export function createGrantsBook({ maxGuards = MAX_GUARDS_A_CALLER, maxGuardsATenant = MAX_GUARDS_A_TENANT }: { readonly maxGuards?: number; readonly maxGuardsATenant?: number } = {}): GrantsBook {
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
