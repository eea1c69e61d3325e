import { DIMENSIONS, type RuleKey } from '../../rules/index.js';

/** Keys of the resources whose rules a stream carries; `*` for all. */
export type Interest = ReadonlySet<RuleKey> | '*';

/** A token's keys, by position in `DIMENSIONS`. */
export type KeySets = readonly (readonly RuleKey[])[];

const RESOURCE = DIMENSIONS.indexOf('resource');

/** Extra keys that a stream may name one by one; more of them become `*`. */
export const MAX_ALSO = 256;

/** Says whether a stream with this interest carries every rule that could select the token. */
export function covers(interest: Interest, sets: KeySets): boolean {
  return interest === '*' || sets[RESOURCE]!.every((key) => interest.has(key));
}

export function includes(interest: Interest, other: Interest): boolean {
  if (interest === '*') return true;
  return other !== '*' && [...other].every((key) => interest.has(key));
}

export function missing(interest: Interest, sets: KeySets): readonly RuleKey[] {
  return interest === '*' ? [] : sets[RESOURCE]!.filter((key) => !interest.has(key));
}
