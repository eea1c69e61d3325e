import type { TokenKeys } from './token-keys.js';
import type { SelectorKey } from './selector.js';

export type Effect = 'revoke' | 'block';

/** One revocation as a node or guard holds it: no names, whatever it hits. Times are epoch seconds. */
export interface Rule {
  readonly id: string;
  /** Position in the control log. */
  readonly seq: bigint;
  readonly selector: SelectorKey;
  readonly effect: Effect;
  /** `revoke`: what was granted at or before this moment falls. */
  readonly before: number;
  /** `revoke` whose moment was the time of its order: what was first seen below `seq` falls whatever its times say. */
  readonly asOfOrder: boolean;
  /** `revoke`: the sign-in must be later than `before` too. */
  readonly reauthenticate: boolean;
  /** `block`: from here on it acts as a `revoke` as of this moment, or as nothing with `resume`. */
  readonly until?: number;
  readonly resume?: boolean;
}

/** Whether a rule whose selector matches stops the token now. */
export function stops(rule: Rule, token: TokenKeys, now: number): boolean {
  if (rule.effect === 'block') {
    if (rule.until === undefined || now < rule.until) return true;
    return rule.resume !== true && grantedBy(token, rule.until);
  }
  if (grantedBy(token, rule.before)) return true;
  // Two clocks never save a token: what Rescind had recorded before the order is older than it (design, section 4).
  if (rule.asOfOrder && token.seenSeq < rule.seq) return true;
  // A sign-in whose time nobody states cannot be shown to be later.
  return rule.reauthenticate && (token.authenticatedAt === undefined || token.authenticatedAt <= rule.before + token.skew);
}

const grantedBy = (token: TokenKeys, moment: number): boolean => token.grantedAt <= moment + token.skew;
