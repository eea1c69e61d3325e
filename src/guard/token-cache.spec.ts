import { describe, expect, it } from '@jest/globals';
import { createTokenCache, type KeptToken } from './token-cache.js';

const kept = (over: Partial<KeptToken> = {}): KeptToken => ({
  answer: {} as KeptToken['answer'],
  sets: [],
  seen: 1n,
  checked: 1n,
  until: 0,
  used: false,
  ...over,
});

describe('a cache of tokens', () => {
  it('finds what was kept, until it is forgotten', () => {
    const sut = createTokenCache(2);
    const [one, other] = [kept(), kept()];
    sut.keep('one', one);
    sut.keep('other', other);
    expect([sut.find('one'), sut.find('other'), sut.find('another')]).toEqual([one, other, undefined]);
    sut.forget('one');
    expect([sut.find('one'), sut.find('other'), sut.size]).toEqual([undefined, other, 1]);
    sut.clear();
    expect([sut.find('other'), sut.size]).toEqual([undefined, 0]);
  });

  it('holds as many as it may, and lets the first go for one more', () => {
    const sut = createTokenCache(2);
    for (const text of ['a', 'b']) sut.keep(text, kept());
    expect(sut.size).toBe(2);
    sut.keep('c', kept());
    expect([sut.size, sut.find('a')]).toEqual([2, undefined]);
    expect(['b', 'c'].filter((text) => sut.find(text) === undefined)).toEqual([]);
  });

  it('passes over what was used, once', () => {
    const sut = createTokenCache(2);
    const used = kept({ used: true });
    sut.keep('a', used);
    sut.keep('b', kept());
    sut.keep('c', kept());
    expect([sut.find('a'), sut.find('b'), used.used]).toEqual([used, undefined, false]);
    sut.keep('d', kept());
    sut.keep('e', kept());
    expect([sut.find('a'), sut.size]).toEqual([undefined, 2]);
  });

  it('keeps a token again in the place of the newest, and takes no room of another', () => {
    const sut = createTokenCache(2);
    sut.keep('a', kept());
    sut.keep('b', kept());
    sut.keep('a', kept());
    expect([sut.size, sut.find('b') === undefined]).toEqual([2, false]);
    sut.keep('c', kept());
    expect([sut.find('a') === undefined, sut.find('b')]).toEqual([false, undefined]);
  });

  it('keeps the newest token again without letting the oldest go', () => {
    const sut = createTokenCache(2);
    sut.keep('a', kept());
    sut.keep('b', kept());
    sut.keep('b', kept());
    expect([sut.size, sut.find('a') === undefined]).toEqual([2, false]);
  });

  it('forgets those that a condition names, and says how many', () => {
    const sut = createTokenCache(4);
    for (const [at, text] of ['a', 'b', 'c'].entries()) sut.keep(text, kept({ until: at }));
    expect(sut.forgetWhere(({ until }) => until > 0)).toBe(2);
    expect([sut.find('a') === undefined, sut.find('b'), sut.find('c')]).toEqual([false, undefined, undefined]);
    expect(sut.forgetWhere(({ until }) => until > 0)).toBe(0);
  });
});
