import { timeText } from '../../contracts/index.js';
import { MORE_SCOPES } from '../../projections/index.js';
import { isCut } from './answer-parts.js';
import { orNull } from './names.pg.js';
import type { Window } from './window.js';

export interface Usage {
  readonly accesses: number;
  readonly allowed: number;
  readonly firstUsed: number | null;
  readonly lastUsed: number | null;
  /** True if not all uses were walked: the numbers are lower bounds. */
  readonly cut: boolean;
}

export const usageOf = ({ accesses, allowed, firstUsed, lastUsed, cut }: Usage) => ({
  accesses,
  allowed,
  denied: accesses - allowed,
  first_used: orNull(firstUsed, timeText),
  last_used: orNull(lastUsed, timeText),
  ...isCut(cut),
});

/**
 * Compares granted and used scopes; both come sorted. A scope that was used and never granted is in neither difference:
 * it shows in `used_scopes`. {@link MORE_SCOPES} stands for unknown scopes, so it is not called unused.
 */
export function scopesOf(granted: readonly string[], used: readonly string[]) {
  const known = new Set([...used, MORE_SCOPES]);
  return {
    granted_scopes: [...granted],
    used_scopes: [...used],
    unused_scopes: granted.filter((scope) => !known.has(scope)),
  };
}

const MAX_INT64 = String(2n ** 63n - 1n);

/** Returns the bounds of the time of access, for SQL. Without `from` and `to` they include everything. */
export const boundsOf = (window: Window): readonly [from: number | string, to: number | string] => [
  window.from ?? 0,
  window.to ?? MAX_INT64,
];
