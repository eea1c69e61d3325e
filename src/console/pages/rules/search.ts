import type { Rule } from '../../api/rules.js';

export const STATES: readonly Rule['state'][] = ['live', 'lifted', 'turned-revoke', 'expired'];
export const EFFECTS: readonly Rule['effect'][] = ['block', 'revoke'];

/** The part of the URL that says which rules are shown. */
export interface RulesSearch {
  readonly state?: Rule['state'][];
  readonly effect?: Rule['effect'];
}

/** Reads the search of a URL that anybody may have written: what is not known is left out. */
export function readRulesSearch({ state, effect }: Record<string, unknown>): RulesSearch {
  const states = STATES.filter((one) => [state].flat().includes(one));
  const known = EFFECTS.find((one) => one === effect);
  return { ...(states.length === 0 ? {} : { state: states }), ...(known === undefined ? {} : { effect: known }) };
}
