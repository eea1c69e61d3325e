import type { TokenTimes } from './token-keys.js';
import type { SelectorKey } from './selector.js';

export type Effect = 'revoke' | 'block';

/** What a rule compares once its selector matches. Times are epoch seconds. */
export interface Terms {
  /** Position in the control log. */
  readonly seq: bigint | number;
  readonly effect: Effect;
  /**
   * Whether the selector names a token, an ID-JAG or a session. None of the three is granted anew, so a `revoke` of one stops
   * everything that has it in its lineage, whatever was granted when.
   */
  readonly byIdentity: boolean;
  /**
   * `revoke`: what was granted at or before this moment falls. By identity: when something was last recorded with it, as far as
   * is known; only how long the rule is kept goes by that.
   */
  readonly before: number;
  /** `revoke` whose moment was the time of its order: what was first seen below `seq` falls whatever its times say. */
  readonly asOfOrder: boolean;
  /** `revoke`: the sign-in must be later than `before` too. */
  readonly reauthenticate: boolean;
  /** `block`: from here on it acts as a `revoke` as of this moment, or as nothing with `resume`. */
  readonly until?: number | undefined;
  readonly resume?: boolean | undefined;
}

/** One revocation as a node or guard holds it: no names, whatever it hits. */
export interface Rule extends Terms {
  readonly id: string;
  readonly seq: bigint;
  readonly selector: SelectorKey;
  /** The rule has other selectors too, each a row of its own under the same id. */
  readonly isOneOfSeveral?: boolean | undefined;
  /** `block` of an event: whose event (a number that the control state gives), and when it happened (epoch milliseconds). */
  readonly origin?: { readonly speaker: number; readonly at: number } | undefined;
}

/** A rule as it is put into an index: its selector says whether it is one by identity. */
export type NewRule = Omit<Rule, 'byIdentity'>;

/** Whether a rule whose selector matches stops the token now. */
export function stops(rule: Terms, token: TokenTimes, now: number): boolean {
  if (rule.effect === 'block') {
    if (rule.until === undefined || now < rule.until) return true;
    return rule.resume !== true && (rule.byIdentity || grantedBy(token, rule.until));
  }
  if (rule.byIdentity || grantedBy(token, rule.before)) return true;
  // Two clocks never save a token: what Rescind had recorded before the order is older than it (design, section 4).
  if (rule.asOfOrder && token.seenSeq < rule.seq) return true;
  // A sign-in whose time nobody states cannot be shown to be later.
  return rule.reauthenticate && (token.authenticatedAt === undefined || token.authenticatedAt <= rule.before + token.skew);
}

const grantedBy = (token: TokenTimes, moment: number): boolean => token.grantedAt <= moment + token.skew;

/** Seconds. A token whose lineage goes back further is never active (design, section 4). */
export const MAX_LINEAGE_AGE_S = 30 * 86_400;

/** The most that a source's profile allows for its clock, seconds. */
const MAX_SKEW_S = 300;

/**
 * Seconds for clocks that differ: an event may claim to be granted 5 min after its arrival, its batch may have begun before
 * the order and ended after it, and whoever drops a rule may read another clock than whoever judges a token.
 */
const CLOCK_MARGIN_S = 3_600;

/** Seconds after its moment for which a rule is kept: from then on all that it stops is refused for its age. */
export const KEPT_S = MAX_SKEW_S + MAX_LINEAGE_AGE_S + CLOCK_MARGIN_S;

/**
 * From when on a rule stops nothing that is not refused for its age anyhow (epoch seconds); undefined: no clock tells. A rule
 * that wants a new sign-in reaches fresh grants of an old one, and a block without an end reaches everything: neither is
 * dropped. A rule by identity is needed for as long as something is recorded with it: see {@link reviewFrom}.
 */
export function deadFrom(rule: Terms): number | undefined {
  if (rule.effect === 'block') {
    if (rule.until === undefined) return undefined;
    if (rule.resume === true) return rule.until + CLOCK_MARGIN_S;
    return rule.byIdentity ? undefined : rule.until + KEPT_S;
  }
  return rule.byIdentity || rule.reauthenticate ? undefined : rule.before + KEPT_S;
}

/** Returns when something was last recorded with a rule by identity, as far as is known (epoch seconds). Undefined: the rule is none, or never ends. */
export function lastKnownUse(rule: Terms): number | undefined {
  if (!rule.byIdentity) return undefined;
  if (rule.effect === 'revoke') return rule.before;
  return rule.until === undefined || rule.resume === true ? undefined : Math.max(rule.until, rule.before);
}

/** From when on the rule by identity may be dropped, if nothing was recorded with it since its last known use (epoch seconds). */
export function reviewFrom(rule: Terms): number | undefined {
  const last = lastKnownUse(rule);
  return last === undefined ? undefined : last + KEPT_S;
}
