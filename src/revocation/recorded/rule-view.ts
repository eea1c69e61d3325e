import { instantText, timeText } from '../../contracts/index.js';
import type { Author, RuleOrigin, Seq } from '../../control/index.js';
import type { Effect, OtherValues, Rule, Selector } from '../../rules/index.js';
import type { EnablingEvent, StoredRule } from './rule-reader.pg.js';

/**
 * States of a rule. `live`: stops its selection. `lifted`: lifted by a caller. `turned-revoke`: a block that a later enabling event or its
 * own `until` turned into a `revoke`. `expired`: stops nothing any more, because its `until` has passed with `resume`, or because everything
 * that it could stop is long dead and nodes have dropped it.
 */
export const RULE_STATES = ['live', 'lifted', 'turned-revoke', 'expired'] as const;
export type RuleState = (typeof RULE_STATES)[number];

/** The event that became a rule, as the API shows it. */
export type OriginView = Omit<RuleOrigin, 'at'> & { readonly at: string };

export const originView = ({ at, ...origin }: RuleOrigin): OriginView => ({ ...origin, at: instantText(at) });

/** How a block ended, and what it left behind. */
export interface RuleEnd {
  readonly by: 'lift' | 'event' | 'until';
  /** Time of the lift or of the enabling event, or the `until` that passed. */
  readonly at: string;
  /** `revoke`: grants up to `before` stay stopped. */
  readonly leaves: 'revoke' | 'nothing';
  readonly before?: string;
  /** Set for a lift: its author, and the rule that keeps the blocked grants revoked. */
  readonly author?: Author;
  readonly revoke?: string;
  /** Set for an event: its source, id and ledger entry. Absent while the ledger does not have it yet. */
  readonly source?: string;
  readonly event?: string;
  readonly entry?: string;
}

/** A rule as the API shows it. */
export interface RuleView {
  readonly id: string;
  /** Position in the control log; decimal. */
  readonly seq: string;
  readonly at: string;
  readonly state: RuleState;
  /** Whether every node and guard is known to apply the rule. False for a lifted or expired rule, which stops nothing. */
  readonly in_force: boolean;
  /** Set for a block that no longer stops new grants. */
  readonly ended?: RuleEnd;
  readonly effect: Effect;
  readonly selector: Selector;
  /** Further values of the selector's members. Any of them selects too. */
  readonly or?: OtherValues;
  readonly before?: string;
  readonly until?: string;
  readonly resume?: true;
  readonly reauthenticate: boolean;
  readonly reason: string;
  readonly author: Author;
  readonly origin?: OriginView;
  readonly after_lift_of?: string;
  /** `in_force`: whether every node and guard is known to have heard of the lift. */
  readonly lift?: {
    readonly at: string;
    readonly resume: boolean;
    readonly reason: string;
    readonly author: Author;
    readonly in_force: boolean;
  };
}

/**
 * Builds the view. `known`: the control log as this process has read it. `inForceUpTo`: confirmed by all. `enabling`: the event that
 * turned the rule.
 */
export function ruleView(
  stored: StoredRule,
  known: KnownRule,
  inForceUpTo: Seq,
  now: number,
  enabling?: EnablingEvent,
): RuleView {
  const { seq, at, body, lift } = stored;
  const state = stateOf(stored, known, now);
  const ended = endOf(stored, known, now, enabling);
  const {
    id,
    effect,
    selector,
    or,
    before,
    until,
    resume,
    reauthenticate,
    reason,
    author,
    origin,
    after_lift_of: afterLiftOf,
  } = body;
  return {
    id,
    seq: String(seq),
    at: secondsText(at),
    state,
    in_force: (state === 'live' || state === 'turned-revoke') && seq <= inForceUpTo,
    ...(ended ? { ended } : {}),
    effect,
    selector,
    ...(or ? { or } : {}),
    ...(before === undefined ? {} : { before: timeText(before) }),
    ...(until === undefined ? {} : { until: timeText(until) }),
    ...(resume ? { resume } : {}),
    reauthenticate,
    reason,
    author,
    ...(origin ? { origin: originView(origin) } : {}),
    ...(afterLiftOf === undefined ? {} : { after_lift_of: afterLiftOf }),
    ...(lift
      ? {
          lift: {
            at: secondsText(lift.at),
            resume: lift.resume,
            reason: lift.reason,
            author: lift.author,
            in_force: lift.seq <= inForceUpTo,
          },
        }
      : {}),
  };
}

export interface KnownRule {
  /** The rule as this process holds it. */
  readonly current: Rule | undefined;
  /** The last record read, as of the same moment. */
  readonly head: Seq;
}

export function stateOf({ seq, body, lift }: StoredRule, { current, head }: KnownRule, now: number): RuleState {
  // Stored but not yet read here: the record is on its way, not gone.
  if (!current) return lift ? 'lifted' : seq > head ? 'live' : 'expired';
  if (body.effect !== 'block') return 'live';
  if (current.effect === 'revoke') return 'turned-revoke';
  if (!isPast(current.until, now)) return 'live';
  return current.resume === true ? 'expired' : 'turned-revoke';
}

/** Whether an event or its own `until` ended a block. Such a block can no longer be lifted. */
export const hasEnded = (stored: StoredRule, { current }: KnownRule, now: number): boolean =>
  stored.body.effect === 'block' && (current?.effect === 'revoke' || isPast(current?.until, now));

const isPast = (until: number | undefined, now: number): boolean => until !== undefined && until <= now;

function endOf(
  stored: StoredRule,
  { current }: KnownRule,
  now: number,
  enabling: EnablingEvent | undefined,
): RuleEnd | undefined {
  const { body, lift } = stored;
  if (body.effect !== 'block') return undefined;
  if (lift && !current)
    return {
      by: 'lift',
      at: secondsText(lift.at),
      ...(lift.resume ? { leaves: 'nothing' } : { leaves: 'revoke', before: secondsText(lift.at) }),
      author: lift.author,
      ...(lift.keptBy === undefined ? {} : { revoke: lift.keptBy }),
    };
  if (enabling)
    return {
      by: 'event',
      at: secondsText(enabling.atMs),
      leaves: 'revoke',
      before: secondsText(enabling.beforeMs),
      source: enabling.source,
      event: enabling.event,
      entry: enabling.entry,
    };
  if (current?.effect === 'revoke')
    return { by: 'event', at: timeText(current.before), leaves: 'revoke', before: timeText(current.before) };
  if (!isPast(body.until, now)) return undefined;
  return {
    by: 'until',
    at: timeText(body.until!),
    ...(body.resume ? { leaves: 'nothing' } : { leaves: 'revoke', before: timeText(body.until!) }),
  };
}

const secondsText = (milliseconds: number): string => timeText(Math.floor(milliseconds / 1000));
