import type { TokenTimes } from './token-keys.js';
import type { SelectorKey } from './selector.js';

export type Effect = 'revoke' | 'block';

/** The part of a rule that is compared once its selector matches. Times are epoch seconds. */
export interface Terms {
  /** Position in the control log. */
  readonly seq: bigint | number;
  readonly effect: Effect;
  /**
   * Whether the selector names a token, an ID-JAG or a session. None of the three can be granted anew, so a `revoke` of one stops
   * everything that has it in its lineage, whenever it was granted.
   */
  readonly byIdentity: boolean;
  /**
   * For a `revoke`: everything granted at or before this moment is stopped. For a rule by identity: the last known time at which
   * something was recorded with the identity; it only decides how long the rule is kept.
   */
  readonly before: number;
  /** True for a `revoke` whose moment was the time of its order: a token first seen below `seq` is stopped whatever its times are. */
  readonly asOfOrder: boolean;
  /** For a `revoke`: the user's sign-in must be later than `before` too. */
  readonly reauthenticate: boolean;
  /** For a `block`: from this moment on it acts as a `revoke` as of this moment or, with `resume`, stops nothing. */
  readonly until?: number | undefined;
  readonly resume?: boolean | undefined;
}

/** One selector of a rule, as a node or guard holds it: keys only, no names. */
export interface Rule extends Terms {
  readonly id: string;
  readonly seq: bigint;
  readonly selector: SelectorKey;
  /** True if the rule has other selectors too, each a row of its own under the same id. */
  readonly isOneOfSeveral?: boolean | undefined;
  /** For a `block` of an event: the speaker (a number that the control state gives) and the event's time (epoch milliseconds). */
  readonly origin?: { readonly speaker: number; readonly at: number } | undefined;
}

/** A rule to be put into an index. `byIdentity` follows from its selector. */
export type NewRule = Omit<Rule, 'byIdentity'>;

/** Says whether a rule whose selector matches stops the token at `now`. */
export function stops(rule: Terms, token: TokenTimes, now: number): boolean {
  if (rule.effect === 'block') {
    if (rule.until === undefined || now < rule.until) return true;
    return rule.resume !== true && (rule.byIdentity || grantedBy(token, rule.until));
  }
  if (rule.byIdentity || grantedBy(token, rule.before)) return true;
  // A difference between two clocks never saves a token: whatever Rescind recorded before the order is older (design, section 4).
  if (rule.asOfOrder && token.seenSeq < rule.seq) return true;
  // If no time of the sign-in is stated, the sign-in cannot be shown to be later.
  return (
    rule.reauthenticate && (token.authenticatedAt === undefined || token.authenticatedAt <= rule.before + token.skew)
  );
}

const grantedBy = (token: TokenTimes, moment: number): boolean => token.grantedAt <= moment + token.skew;

/** A token whose lineage is older than this is never active (design, section 4). Seconds. */
export const MAX_LINEAGE_AGE_S = 30 * 86_400;

/** The largest skew that a source's profile may have, seconds. */
const MAX_SKEW_S = 300;

/**
 * Margin for clocks that differ, seconds: a grant may be dated up to 5 min after its event's arrival, a batch may begin before an
 * order and end after it, and the process that drops a rule may have another clock than the process that judges a token.
 */
const CLOCK_MARGIN_S = 3_600;

/** How long a rule is kept after its moment, seconds. After that, every token that it stops is refused for its age. */
export const KEPT_S = MAX_SKEW_S + MAX_LINEAGE_AGE_S + CLOCK_MARGIN_S;

/**
 * Returns the time from which every token that a rule stops is also refused for its age (epoch seconds); undefined if no clock can
 * tell. A rule with `reauthenticate` stops fresh grants of an old sign-in, and a block without an end stops everything: neither is
 * dropped. A rule by identity is needed as long as something is recorded with it: see {@link reviewFrom}.
 */
export function deadFrom(rule: Terms): number | undefined {
  if (rule.effect === 'block') {
    if (rule.until === undefined) return undefined;
    if (rule.resume === true) return rule.until + CLOCK_MARGIN_S;
    return rule.byIdentity ? undefined : rule.until + KEPT_S;
  }
  return rule.byIdentity || rule.reauthenticate ? undefined : rule.before + KEPT_S;
}

/** Returns the last known use of a rule by identity (epoch seconds); undefined if the rule is not by identity, or is a block that never becomes a `revoke`. */
export function lastKnownUse(rule: Terms): number | undefined {
  if (!rule.byIdentity) return undefined;
  if (rule.effect === 'revoke') return rule.before;
  return rule.until === undefined || rule.resume === true ? undefined : Math.max(rule.until, rule.before);
}

/** Returns the time from which a rule by identity may be dropped if nothing was recorded with it since its last known use (epoch seconds). */
export function reviewFrom(rule: Terms): number | undefined {
  const last = lastKnownUse(rule);
  return last === undefined ? undefined : last + KEPT_S;
}
