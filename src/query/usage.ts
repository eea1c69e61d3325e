import type { Window } from './parameters.js';

/** Usage columns of connections.sql and grants.sql. Sums of bigint come as text. */
export interface UsageRow {
  readonly accesses: string;
  readonly allowed: string;
  readonly first_used: string | null;
  readonly last_used: string | null;
}

export function usageOf(row: UsageRow) {
  return {
    accesses: Number(row.accesses),
    allowed: Number(row.allowed),
    denied: Number(row.accesses) - Number(row.allowed),
    first_used: row.first_used === null ? null : Number(row.first_used),
    last_used: row.last_used === null ? null : Number(row.last_used),
  };
}

/** Sorted, as both sides come. A scope that was used and never granted is in neither difference: it shows in `used_scopes`. */
export function scopesOf(granted: readonly string[], used: readonly string[]) {
  return {
    granted_scopes: [...granted],
    used_scopes: [...used],
    unused_scopes: granted.filter((scope) => !used.includes(scope)),
  };
}

const MAX_INT64 = String(2n ** 63n - 1n);

/** Bounds of the time of access, for SQL. Without `from` and `to`, everything. */
export const boundsOf = (window: Window): readonly [from: number | string, to: number | string] => [window.from ?? 0, window.to ?? MAX_INT64];
