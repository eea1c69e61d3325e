import { describe, expect, it } from '@jest/globals';
import { audienceOf } from './claims.js';

describe('what a text claims', () => {
  it.each<[unknown, readonly string[]]>([
    ['a', ['a']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [['a', 1], []],
    [{ a: 1 }, []],
    [undefined, []],
  ])('an audience of %j is %j', (aud, expected) => {
    expect(audienceOf({ aud })).toEqual(expected);
  });
});
