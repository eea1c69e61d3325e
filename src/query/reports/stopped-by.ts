import type { RuleVersion } from '../../projections/index.js';
import type { TokenKeys } from '../../rules/index.js';
import { indexOf } from '../../selection/index.js';

/**
 * Returns a function that says whether a rule as it was ordered stops a token at a time. `rows` are all selectors of
 * the rule.
 */
export function stoppedBy(
  tenantKey: Uint8Array,
  rows: readonly RuleVersion[],
): (keys: TokenKeys, now: number) => boolean {
  const index = indexOf(tenantKey, rows);
  return (keys, now) => index.isStopped(keys, now);
}
