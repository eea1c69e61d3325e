/** A question that is under way. */
export interface Visit {
  /** The archive's end, once the question has read it: the question reads the tail from here on. */
  end?: bigint;
}

/** The questions that are under way, by tenant. */
export interface Visits {
  begin(tenant: string): Visit;
  end(tenant: string, visit: Visit): void;
  has(tenant: string): boolean;
  /** The lowest archive's end of all questions of the tenant that are under way; 0 if one has not read it yet. */
  lowestEnd(tenant: string): bigint;
}

export function createVisits(): Visits {
  const visits = new Map<string, Set<Visit>>();
  return {
    begin(tenant) {
      const visit: Visit = {};
      visits.set(tenant, (visits.get(tenant) ?? new Set()).add(visit));
      return visit;
    },
    end(tenant, visit) {
      const own = visits.get(tenant);
      own?.delete(visit);
      if (own?.size === 0) visits.delete(tenant);
    },
    has: (tenant) => visits.has(tenant),
    lowestEnd(tenant) {
      let lowest: bigint | undefined;
      for (const { end } of visits.get(tenant) ?? [])
        if (lowest === undefined || (end ?? 0n) < lowest) lowest = end ?? 0n;
      return lowest ?? 0n;
    },
  };
}
