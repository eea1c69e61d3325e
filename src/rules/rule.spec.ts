import { describe, expect, it } from '@jest/globals';
import { stops, type Rule, type TokenKeys } from './index.js';

const SKEW = 5;
const MOMENT = 1_000;
const token = (over: Partial<TokenKeys> = {}): TokenKeys => ({
  sets: [],
  grantedAt: MOMENT + 100,
  authenticatedAt: MOMENT + 100,
  seenSeq: 50n,
  skew: SKEW,
  ...over,
});
const revoke = (over: Partial<Rule> = {}): Rule => ({
  id: 'r',
  seq: 50n,
  selector: { shape: 0, key: '' },
  effect: 'revoke',
  byIdentity: false,
  before: MOMENT,
  asOfOrder: false,
  reauthenticate: false,
  ...over,
});
const block = (until?: number): Rule => revoke({ effect: 'block', ...(until === undefined ? {} : { until }) });
const resuming = (until: number): Rule => ({ ...block(until), resume: true });

describe('stops (design, section 4)', () => {
  it.each<[string, number, number, boolean]>([
    ['long before', MOMENT - 1_000, SKEW, true],
    ['at the moment', MOMENT, SKEW, true],
    ['at the moment plus skew', MOMENT + SKEW, SKEW, true],
    ['a second later than that', MOMENT + SKEW + 1, SKEW, false],
    ['at the moment, without skew', MOMENT, 0, true],
    ['a second later, without skew', MOMENT + 1, 0, false],
    ['within a large skew', MOMENT + 300, 300, true],
    ['beyond it', MOMENT + 301, 300, false],
  ])('a revoke and what was granted %s', (_name, grantedAt, skew, stopped) => {
    expect(stops(revoke(), token({ grantedAt, skew }), MOMENT + 10_000)).toBe(stopped);
  });

  it.each<[string, Partial<Rule>, bigint, boolean]>([
    ['seen below its seq', { asOfOrder: true }, 49n, true],
    ['seen at its seq', { asOfOrder: true }, 50n, false],
    ['seen above its seq', { asOfOrder: true }, 51n, false],
    ['seen below its seq, as of an earlier moment', { asOfOrder: false }, 49n, false],
    ['never recorded', { asOfOrder: true }, 1n << 62n, false],
  ])('a revoke and what claims to be granted later, %s', (_name, over, seenSeq, stopped) => {
    expect(stops(revoke(over), token({ seenSeq, grantedAt: MOMENT + 1_000_000 }), MOMENT)).toBe(stopped);
  });

  it.each<[string, Partial<TokenKeys>, boolean]>([
    ['whose sign-in is at the moment', { authenticatedAt: MOMENT }, true],
    ['whose sign-in is at the moment plus skew', { authenticatedAt: MOMENT + SKEW }, true],
    ['whose sign-in is a second later than that', { authenticatedAt: MOMENT + SKEW + 1 }, false],
    ['whose sign-in nobody states', { authenticatedAt: undefined }, true],
  ])('a revoke that wants a new sign-in, and a later grant %s', (_name, over, stopped) => {
    expect(stops(revoke({ reauthenticate: true }), token(over), MOMENT)).toBe(stopped);
    expect(stops(revoke(), token(over), MOMENT)).toBe(false);
  });

  it.each<[string, Partial<Rule>, number]>([
    ['a revoke, as of its order', { asOfOrder: true }, MOMENT],
    ['a revoke with a moment', {}, MOMENT],
    ['a block past its end', { effect: 'block', until: MOMENT }, MOMENT],
    ['a block before its end', { effect: 'block', until: MOMENT + 1 }, MOMENT],
  ])('by identity, %s stops what was granted and seen long afterwards', (_name, over, now) => {
    const later = token({ grantedAt: MOMENT * 1_000, authenticatedAt: MOMENT * 1_000, seenSeq: 1n << 62n });
    expect(stops(revoke({ ...over, byIdentity: true }), later, now)).toBe(true);
  });

  it('by identity, a block that resumes stops nothing past its end', () => {
    expect(stops({ ...resuming(2_000), byIdentity: true }, token({ grantedAt: 1_000 }), 2_000)).toBe(false);
  });

  it('a revoke does not end', () => {
    expect(stops(revoke(), token({ grantedAt: MOMENT }), Number.MAX_SAFE_INTEGER)).toBe(true);
  });

  it('a block that resumes stops until its end and nothing afterwards', () => {
    expect([1_999, 2_000].map((now) => stops(resuming(2_000), token({ grantedAt: 1_000 }), now))).toEqual([
      true,
      false,
    ]);
  });

  it('a block without an end stops whatever the times say', () => {
    expect(stops(block(), token({ grantedAt: MOMENT * 10 }), Number.MAX_SAFE_INTEGER)).toBe(true);
  });

  it.each<[string, number, number, boolean]>([
    ['before its end, whatever was granted when', 1_999, 5_000, true],
    ['at its end, granted at it', 2_000, 2_000, true],
    ['at its end, granted within the skew after it', 2_000, 2_000 + SKEW, true],
    ['at its end, granted later', 2_000, 2_000 + SKEW + 1, false],
    ['long after its end, granted before it', 9_000, 1_500, true],
    ['long after its end, granted after it', 9_000, 5_000, false],
  ])('a block until 2000: %s', (_name, now, grantedAt, stopped) => {
    expect(stops(block(2_000), token({ grantedAt }), now)).toBe(stopped);
  });
});
