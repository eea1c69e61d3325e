import { describe, expect, it } from '@jest/globals';
import type { Tenant } from '../control/index.js';
import { selectorKey } from '../rules/index.js';
import { isConcerned, MAX_ALSO, ownInterest, parseAlso, parseSeq } from './interest.js';

const KEY = Buffer.alloc(32, 7);
const wireKey = (resource: string): string =>
  Buffer.from(selectorKey(KEY, { resource }).key, 'latin1').toString('base64url');

describe('the interest of a guard', () => {
  it('is its own resources and issuers, by the key that a rule on the resource has', () => {
    const own = ownInterest({ key: KEY } as Tenant, {
      resources: ['https://api.example'],
      issuers: ['https://login.example'],
    });
    expect([...own]).toEqual([wireKey('https://api.example'), wireKey('https://login.example')]);
  });

  it.each([
    [undefined, new Set()],
    ['', new Set()],
    ['*', '*'],
    [wireKey('a'), new Set([wireKey('a')])],
    [`${wireKey('a')},${wireKey('b')},${wireKey('a')}`, new Set([wireKey('a'), wireKey('b')])],
    [
      Array.from({ length: MAX_ALSO }, (_, n) => wireKey(`r-${n}`)).join(','),
      new Set(Array.from({ length: MAX_ALSO }, (_, n) => wireKey(`r-${n}`))),
    ],
    [Array.from({ length: MAX_ALSO + 1 }, (_, n) => wireKey(`r-${n}`)).join(','), undefined],
    [',', undefined],
    ['**', undefined],
    [`*,${wireKey('a')}`, undefined],
    [`${wireKey('a')}=`, undefined],
    [wireKey('a').slice(1), undefined],
    [`${wireKey('a').slice(0, -1)}B`, undefined],
  ] as const)('also=%s', (text, expected) => {
    expect(parseAlso(text)).toEqual(expected);
  });

  it('leaves out what names another resource, and nothing else', () => {
    const interest = new Set(['a']);
    expect([
      isConcerned(interest, 'a'),
      isConcerned(interest, undefined),
      isConcerned('*', 'b'),
      isConcerned(interest, 'b'),
    ]).toEqual([true, true, true, false]);
  });
});

it.each([
  ['0', 0n],
  ['1234', 1234n],
  ['9223372036854775807', 2n ** 63n - 1n],
  ['9223372036854775808', undefined],
  ['01', undefined],
  ['-1', undefined],
  ['1.0', undefined],
  ['1e3', undefined],
  [' 1', undefined],
  ['1\n', undefined],
  ['', undefined],
  [7, undefined],
  [undefined, undefined],
])('the position %j', (text, expected) => {
  expect(parseSeq(text)).toBe(expected);
});
