import type { Author, RuleOrigin, Seq } from '../control/index.js';
import type { Effect, OtherValues, Rule, Selector } from '../rules/index.js';
import type { StoredRule } from './rule-reader.pg.js';

/**
 * `live`: stops what it selects. `lifted`: by somebody. `turned-revoke`: a block that a later enabling event or its own
 * `until` turned into a `revoke`. `expired`: what it could stop is long dead, and nodes have dropped it.
 */
export type RuleState = 'live' | 'lifted' | 'turned-revoke' | 'expired';

/** What the API shows of a rule. Times are epoch seconds. */
export interface RuleView {
  readonly id: string;
  /** Position in the control log; decimal. */
  readonly seq: string;
  readonly at: number;
  readonly state: RuleState;
  /** Whether every node and guard is known to go by it. */
  readonly in_force: boolean;
  readonly effect: Effect;
  readonly selector: Selector;
  /** Further values of the selector's members, any of which selects too. */
  readonly or?: OtherValues;
  readonly before?: number;
  readonly until?: number;
  readonly resume?: true;
  readonly reauthenticate: boolean;
  readonly reason: string;
  readonly author: Author;
  readonly origin?: RuleOrigin;
  readonly after_lift_of?: string;
  readonly lift?: { readonly at: number; readonly resume: boolean; readonly reason: string; readonly author: Author };
}

/** `known` is what this process has read of the control log; `inForceUpTo` what all have confirmed. */
export function ruleView(stored: StoredRule, known: KnownRule, inForceUpTo: Seq, now: number): RuleView {
  const { seq, at, body, lift } = stored;
  const { id, effect, selector, or, before, until, resume, reauthenticate, reason, author, origin, after_lift_of: afterLiftOf } = body;
  return {
    id,
    seq: String(seq),
    at: seconds(at),
    state: stateOf(stored, known, now),
    in_force: seq <= inForceUpTo,
    effect,
    selector,
    ...(or ? { or } : {}),
    ...(before === undefined ? {} : { before }),
    ...(until === undefined ? {} : { until }),
    ...(resume ? { resume } : {}),
    reauthenticate,
    reason,
    author,
    ...(origin ? { origin } : {}),
    ...(afterLiftOf === undefined ? {} : { after_lift_of: afterLiftOf }),
    ...(lift ? { lift: { at: seconds(lift.at), resume: lift.resume, reason: lift.reason, author: lift.author } } : {}),
  };
}

export interface KnownRule {
  /** As it is held now. */
  readonly current: Rule | undefined;
  /** The last record that was read, of the same moment. */
  readonly head: Seq;
}

export function stateOf({ seq, body, lift }: StoredRule, { current, head }: KnownRule, now: number): RuleState {
  // Stored, and not read here yet: it is on its way, not gone.
  if (!current) return lift ? 'lifted' : seq > head ? 'live' : 'expired';
  if (body.effect === 'block' && (current.effect === 'revoke' || (current.until !== undefined && current.until <= now))) {
    return 'turned-revoke';
  }
  return 'live';
}

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);
