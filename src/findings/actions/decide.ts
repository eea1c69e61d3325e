import type { Preview } from '../../selection/index.js';
import type { Action, Cap } from './action-input.js';

/**
 * Outcomes of a decision about a finding. `would-order`: a dry run. `over-cap`, `too-many`, `refused`, `left`, `withdrawn`: no rule was ordered. `ordering`: it is decided
 * and not known to be stored. `unconfirmed`: the rule is stored, and not confirmed to be in force. `ordered`: it came into force.
 */
export const OUTCOMES = [
  'would-order',
  'over-cap',
  'too-many',
  'refused',
  'left',
  'withdrawn',
  'ordering',
  'unconfirmed',
  'ordered',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

type Selector = object;

/** The part of a finding that decides without what its rule would hit. */
interface Decidable {
  readonly state: string;
  readonly stop: { readonly selector: Selector } | null;
}

/** Numbers that a rule would hit, and whether a person would have to confirm it. */
export type Hits = Pick<Preview, 'users' | 'tokens' | 'at_least'> & { readonly confirm?: number };

export interface Decision {
  readonly outcome: Extract<Outcome, 'would-order' | 'over-cap' | 'refused' | 'left' | 'ordering'>;
  /** Says why no rule is ordered. */
  readonly why?: string;
  readonly selector?: Selector;
  readonly hits?: Hits;
}

/** Decides about a finding by its state and its rule alone; undefined: its hits decide. */
export function decideWithoutHits({ state, stop }: Decidable): Decision | undefined {
  if (state !== 'open') return { outcome: 'left', why: `it was ${state} when its action was decided` };
  if (stop === null) return { outcome: 'left', why: 'it names nobody whom a rule could select' };
  if ('all' in stop.selector)
    return { outcome: 'refused', why: 'a rule on everything is never ordered without a person' };
  return undefined;
}

/** Decides by what the rule would hit. A number that is only a lower bound is over every cap. */
export function decideByHits(action: Exclude<Action, 'off'>, cap: Cap, selector: Selector, hits: Hits): Decision {
  const decided = { selector, hits };
  if (hits.at_least === true || hits.users > cap.users || hits.tokens > cap.tokens)
    return { ...decided, outcome: 'over-cap', why: `the rule hits ${hitsText(hits)}, and the cap is ${hitsText(cap)}` };
  if (hits.confirm !== undefined)
    return {
      ...decided,
      outcome: 'refused',
      why: `the rule hits a large share, ${hitsText(hits)}: a person must confirm it`,
    };
  return { ...decided, outcome: action === 'block' ? 'ordering' : 'would-order' };
}

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

export const hitsText = ({ users, tokens, at_least: atLeast }: Pick<Hits, 'users' | 'tokens' | 'at_least'>): string =>
  `${atLeast === true ? 'at least ' : ''}${counted(users, 'user')} and ${counted(tokens, 'live token')}`;

/** Says what became of a finding, for people. */
export function outcomeText(
  outcome: Outcome,
  { why, rule, hits }: { readonly why: string | null; readonly rule: string | null; readonly hits: Hits | null },
): string {
  switch (outcome) {
    case 'would-order':
      return `Dry run: its detection would have ordered the rule, which hits ${hits === null ? 'nobody' : hitsText(hits)}.`;
    case 'ordering':
      return 'Its detection is ordering the rule.';
    case 'unconfirmed':
      return `Its detection ordered rule ${rule}, which is stored and not yet confirmed to be in force.`;
    case 'ordered':
      return `Its detection ordered rule ${rule}, which came into force.`;
    default:
      return `Its detection ordered no rule: ${why}.`;
  }
}
