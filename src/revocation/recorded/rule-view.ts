import type { Author, RuleOrigin, Seq } from '../../control/index.js';
import type { Effect, OtherValues, Rule, Selector } from '../../rules/index.js';
import type { EnablingEvent, StoredRule } from './rule-reader.pg.js';

/**
 * `live`: stops what it selects. `lifted`: by somebody. `turned-revoke`: a block that a later enabling event or its own
 * `until` turned into a `revoke`. `expired`: it stops nothing any more, since its `until` has passed with `resume`, or what it could
 * stop is long dead and nodes have dropped it.
 */
export type RuleState = 'live' | 'lifted' | 'turned-revoke' | 'expired';

/** How a block came to its end, and what it left behind. Times are epoch seconds. */
export interface RuleEnd {
  readonly by: 'lift' | 'event' | 'until';
  /** When somebody lifted it, the enabling event happened, or its `until` passed. */
  readonly at: number;
  /** `revoke`: what was granted until `before` stays stopped. */
  readonly leaves: 'revoke' | 'nothing';
  readonly before?: number;
  /** Set for a lift: who did it, and the rule that keeps revoked what was blocked. */
  readonly author?: Author;
  readonly revoke?: string;
  /** Set for an event: who said it, its id and its entry in the ledger; absent while the ledger does not tell it yet. */
  readonly source?: string;
  readonly event?: string;
  readonly entry?: string;
}

/** What the API shows of a rule. Times are epoch seconds. */
export interface RuleView {
  readonly id: string;
  /** Position in the control log; decimal. */
  readonly seq: string;
  readonly at: number;
  readonly state: RuleState;
  /** Whether every node and guard is known to go by it. False for one that is lifted or expired: it stops nothing. */
  readonly in_force: boolean;
  /** Set for a block that no longer stops what is granted from now on. */
  readonly ended?: RuleEnd;
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
  /** `in_force`: whether every node and guard is known to have heard of the lift. */
  readonly lift?: { readonly at: number; readonly resume: boolean; readonly reason: string; readonly author: Author; readonly in_force: boolean };
}

/** `known` is what this process has read of the control log; `inForceUpTo` what all have confirmed; `enabling` the event that turned it. */
export function ruleView(stored: StoredRule, known: KnownRule, inForceUpTo: Seq, now: number, enabling?: EnablingEvent): RuleView {
  const { seq, at, body, lift } = stored;
  const state = stateOf(stored, known, now);
  const ended = endOf(stored, known, now, enabling);
  const { id, effect, selector, or, before, until, resume, reauthenticate, reason, author, origin, after_lift_of: afterLiftOf } = body;
  return {
    id,
    seq: String(seq),
    at: seconds(at),
    state,
    in_force: (state === 'live' || state === 'turned-revoke') && seq <= inForceUpTo,
    ...(ended ? { ended } : {}),
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
    ...(lift ? { lift: { at: seconds(lift.at), resume: lift.resume, reason: lift.reason, author: lift.author, in_force: lift.seq <= inForceUpTo } } : {}),
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
  if (body.effect !== 'block') return 'live';
  if (current.effect === 'revoke') return 'turned-revoke';
  if (!isPast(current.until, now)) return 'live';
  return current.resume === true ? 'expired' : 'turned-revoke';
}

/** Whether a block was ended by an event or by its own `until`: it cannot be lifted any more. */
export const hasEnded = (stored: StoredRule, { current }: KnownRule, now: number): boolean =>
  stored.body.effect === 'block' && (current?.effect === 'revoke' || isPast(current?.until, now));

const isPast = (until: number | undefined, now: number): boolean => until !== undefined && until <= now;

function endOf(stored: StoredRule, { current }: KnownRule, now: number, enabling: EnablingEvent | undefined): RuleEnd | undefined {
  const { body, lift } = stored;
  if (body.effect !== 'block') return undefined;
  if (lift && !current) return { by: 'lift', at: seconds(lift.at), ...(lift.resume ? { leaves: 'nothing' } : { leaves: 'revoke', before: seconds(lift.at) }), author: lift.author, ...(lift.keptBy === undefined ? {} : { revoke: lift.keptBy }) };
  if (enabling) return { by: 'event', at: seconds(enabling.atMs), leaves: 'revoke', before: seconds(enabling.beforeMs), source: enabling.source, event: enabling.event, entry: enabling.entry };
  if (current?.effect === 'revoke') return { by: 'event', at: current.before, leaves: 'revoke', before: current.before };
  if (!isPast(body.until, now)) return undefined;
  return { by: 'until', at: body.until!, ...(body.resume ? { leaves: 'nothing' } : { leaves: 'revoke', before: body.until! }) };
}

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);
