import { describe, expect, it } from '@jest/globals';
import { createRuleColumns } from './rule-columns.js';
import type { NewRule } from '../rule.js';
import { DIMENSIONS } from '../dimension.js';

const FIRST_CAPACITY = 64;
const RULES_A_PIECE = 16_384;
const MAX_WORD = 0xffff_ffff;

/** Builds a selector with this many members; every key contains `name`. */
const selector = (members: number, name = 0) => ({
  shape: (1 << members) - 1,
  key: Array.from({ length: members * 4 }, (_, nth) => String.fromCharCode(nth, name & 255, name >> 8, 200)).join(''),
});
const uuid = (nth: number): string => `00000000-0000-4000-8000-${nth.toString(16).padStart(12, '0')}`;
const rule = (over: Partial<NewRule> = {}): NewRule => ({
  id: uuid(1),
  seq: 7n,
  selector: selector(1),
  effect: 'revoke',
  before: 1_000,
  asOfOrder: false,
  reauthenticate: false,
  ...over,
});

describe('a row', () => {
  it.each<[string, Partial<NewRule>]>([
    ['a revoke', {}],
    ['a revoke as of its order', { asOfOrder: true }],
    ['a revoke that wants a new sign-in', { reauthenticate: true }],
    ['a block', { effect: 'block' }],
    ['a block that ends', { effect: 'block', until: 2_000 }],
    ['a block that ends in 1970', { effect: 'block', until: 0 }],
    ['a block that resumes', { effect: 'block', until: 2_000, resume: true }],
    ['a block of an event', { effect: 'block', origin: { speaker: 3, at: 1_500.5 } }],
    ['one of several', { isOneOfSeveral: true }],
    ['an id that is no UUID', { id: 'a' }],
    ['everything', { selector: selector(0) }],
    ['two members', { selector: selector(2) }],
    ['four members', { selector: selector(4) }],
    ['the last dimension', { selector: { shape: 1 << (DIMENSIONS.length - 1), key: 'k'.repeat(16) } }],
    [
      'the latest times',
      {
        effect: 'block',
        before: MAX_WORD,
        until: MAX_WORD,
        origin: { speaker: MAX_WORD, at: Number.MAX_SAFE_INTEGER },
      },
    ],
    ['the earliest ones', { before: 0, seq: 0n }],
    ['the last seq', { seq: BigInt(Number.MAX_SAFE_INTEGER) }],
  ])('of %s is read as it was added', (_, over) => {
    const sut = createRuleColumns();
    const slot = sut.add(rule(over));
    expect(sut.read(slot)).toMatchObject(rule(over));
    expect(sut.terms(slot)).toMatchObject({
      seq: Number(rule(over).seq),
      effect: rule(over).effect,
      resume: over.resume ?? false,
    });
    expect(Object.keys(sut.read(slot)).toSorted()).toEqual(['byIdentity', ...Object.keys(rule(over))].toSorted());
  });

  it.each<[string, Partial<NewRule>]>([
    ['a moment within a second', { before: 1.5 }],
    ['a moment before 1970', { before: -1 }],
    ['a moment after 2106', { before: MAX_WORD + 1 }],
    ['an end after 2106', { until: MAX_WORD + 1 }],
    ['a speaker beyond its word', { origin: { speaker: MAX_WORD + 1, at: 0 } }],
    ['a seq that a double does not hold', { seq: BigInt(Number.MAX_SAFE_INTEGER) + 1n }],
    ['five members', { selector: selector(5) }],
    ['a key that is too short', { selector: { ...selector(2), key: selector(1).key } }],
    ['a key that is too long', { selector: { ...selector(1), key: selector(2).key } }],
  ])('of %s is refused, and takes no place', (_, over) => {
    const sut = createRuleColumns();
    expect(() => sut.add(rule(over))).toThrow(RangeError);
    expect([sut.size, sut.end]).toEqual([0, 0]);
  });

  it('whose place is free gives it to the next, with nothing left of itself', () => {
    const sut = createRuleColumns();
    const kept = sut.add(rule({ id: 'kept', selector: selector(2, 9) }));
    const slot = sut.add(
      rule({ id: 'odd', effect: 'block', until: 5, resume: true, isOneOfSeveral: true, origin: { speaker: 1, at: 2 } }),
    );
    sut.free(slot);
    expect([sut.isLive(slot), sut.size, sut.end]).toEqual([false, 1, 2]);
    expect(sut.add(rule({ selector: selector(1, 5) }))).toBe(slot);
    expect(sut.read(slot)).toEqual({ ...rule({ selector: selector(1, 5) }), byIdentity: true });
    expect([sut.isLive(slot), sut.size, sut.end, sut.read(kept).selector]).toEqual([true, 2, 2, selector(2, 9)]);
  });

  it('beyond the first 64 makes room for as many more', () => {
    const sut = createRuleColumns();
    for (let nth = 0; nth < FIRST_CAPACITY; nth++)
      sut.add(rule({ id: uuid(nth), seq: BigInt(nth), selector: selector(2, nth) }));
    expect(sut.capacity).toBe(FIRST_CAPACITY);
    for (let nth = FIRST_CAPACITY; nth < 200; nth++)
      sut.add(rule({ id: uuid(nth), seq: BigInt(nth), selector: selector(2, nth) }));
    expect([sut.capacity, sut.size]).toEqual([256, 200]);
    for (let nth = 0; nth < 200; nth++)
      expect(sut.read(nth)).toMatchObject({ id: uuid(nth), seq: BigInt(nth), selector: selector(2, nth) });
  });
});

describe('a dump', () => {
  it('of nothing has no piece', () => {
    expect(createRuleColumns().dump()).toEqual([]);
  });

  it('has a piece for each 16,384 rules that live', () => {
    const sut = createRuleColumns();
    const unused = sut.add(rule({ id: 'unused' }));
    for (let nth = 0; nth < RULES_A_PIECE; nth++)
      sut.add(rule({ id: uuid(nth), seq: BigInt(nth), selector: selector(1, nth) }));
    sut.free(unused);
    expect(sut.dump()).toHaveLength(1);
    sut.add(rule({ id: 'one more' }));
    const pieces = sut.dump();
    expect(pieces).toHaveLength(2);
    const copy = createRuleColumns();
    for (const piece of pieces) copy.load(piece);
    const ids = (of: typeof sut): string[] => Array.from({ length: of.end }, (_, slot) => of.id(slot)).toSorted();
    expect([copy.size, ids(copy)]).toEqual([RULES_A_PIECE + 1, ids(sut)]);
  });

  it('is added to what is there, whatever its ids and lengths are', () => {
    const [first, second] = [createRuleColumns(), createRuleColumns()];
    const rules = Array.from({ length: 100 }, (_, nth) =>
      rule({ id: nth % 3 === 0 ? `odd-${nth}` : uuid(nth), seq: BigInt(nth), selector: selector(nth % 5, nth) }),
    );
    for (const one of rules.slice(0, 40)) first.add(one);
    for (const one of rules.slice(40)) second.add(one);
    for (const piece of second.dump()) first.load(piece);
    expect([first.size, first.end]).toEqual([100, 100]);
    for (const [slot, one] of rules.entries()) expect(first.read(slot)).toMatchObject(one);
    // Loaded keys have positions of their own: a new key of the same length must not overwrite one.
    for (const one of rules)
      first.add({
        ...one,
        id: `again-${one.id}`,
        selector: { ...one.selector, key: 'x'.repeat(one.selector.key.length) },
      });
    for (const [slot, one] of rules.entries()) expect(first.read(slot)).toMatchObject(one);
  });
});
