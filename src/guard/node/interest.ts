import { DIMENSIONS, type RuleKey } from '../../rules/index.js';

/** Keys of resources whose rules a stream carries; `*` for all. */
export type Interest = ReadonlySet<RuleKey> | '*';

/** A token's keys by position in `DIMENSIONS`. */
export type KeySets = readonly (readonly RuleKey[])[];

const RESOURCE = DIMENSIONS.indexOf('resource');

/** Keys beyond the role's own that a stream may be asked for one by one; more of them become `*`. */
export const MAX_ALSO = 256;

/** No rule that could name this token is left out of the stream. */
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
