import { describe, expect, it } from '@jest/globals';
import { DIMENSIONS, type RuleKey } from '../../rules/index.js';
import { covers, includes, missing } from './interest.js';

const keys = (...names: readonly string[]): readonly RuleKey[] => names as unknown as readonly RuleKey[];
const set = (...names: readonly string[]): ReadonlySet<RuleKey> => new Set(keys(...names));
/** Makes the keys of a token of these resources; its other keys do not matter. */
const token = (...resources: readonly string[]): (readonly RuleKey[])[] =>
  DIMENSIONS.map((dimension) => (dimension === 'resource' ? keys(...resources) : keys('other')));

describe('an interest', () => {
  it.each([
    [set('a', 'b'), token('a'), true, []],
    [set('a', 'b'), token('a', 'b'), true, []],
    [set('a'), token('a', 'b'), false, ['b']],
    [set('other'), token('a'), false, ['a']],
    ['*' as const, token('a'), true, []],
  ])('%j covers a token when it names each of its resources', (interest, sets, covered, lacking) => {
    expect([covers(interest, sets), missing(interest, sets)]).toEqual([covered, lacking]);
  });

  it.each([
    [set('a', 'b'), set('a'), true],
    [set('a'), set('a'), true],
    [set('a'), set('a', 'b'), false],
    [set('a'), '*' as const, false],
    ['*' as const, set('a'), true],
    ['*' as const, '*' as const, true],
  ])('%j includes another when it has each of its keys', (one, other, included) => {
    expect(includes(one, other)).toBe(included);
  });
});
