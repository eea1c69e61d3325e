import { describe, expect, it } from '@jest/globals';
import { DIMENSIONS, selectorKey, splitSelectorKey, type RuleKey, type Selector } from '../rules/index.js';
import type { ActiveAnswer } from './answer.js';
import { covers, type Interest, type KeySets } from './node/interest.js';
import { createGuardState, type Asked, type GuardState, type Judgement, type LeaseAsked } from './state.js';

const TENANT_KEY = Buffer.alloc(32, 3);
const [SILENCE_MS, MAX_KEEP_MS, MAX_KEPT_LENGTH] = [12_000, 600_000, 4_096];
const API = 'https://api.example';
const OTHER = 'https://other.example';
const alice: Selector = { user: { iss: 'https://idp.example', sub: 'alice' } };
const bob: Selector = { user: { iss: 'https://idp.example', sub: 'bob' } };
const key = (selector: Selector) => selectorKey(TENANT_KEY, selector);
const resourceKey = (resource: string): RuleKey => splitSelectorKey(key({ resource }))[0]![1];
const of = (...resources: readonly string[]): Interest => new Set(resources.map(resourceKey));
const answer: ActiveAnswer = { state: 'active', claims: { sub: 'alice' } };

function sets(...selectors: readonly Selector[]): KeySets {
  const all = DIMENSIONS.map((): RuleKey[] => []);
  for (const selector of selectors)
    for (const [dimension, one] of splitSelectorKey(key(selector))) all[DIMENSIONS.indexOf(dimension)]!.push(one);
  return all;
}

const judged = (seq: bigint, over: { keepMs?: number; sets?: KeySets } = {}): Judgement => ({
  answer,
  keep: { seq, keepMs: over.keepMs ?? 60_000, sets: over.sets ?? sets(alice, { resource: API }) },
});

/** Creates a guard at seq 10 with a stream for API and a lease from 0 to 2,250. */
function ready(limits: { maxTokens?: number; maxSelectors?: number } = {}): { sut: GuardState; stream: number } {
  const sut = createGuardState({
    maxTokens: limits.maxTokens ?? 100,
    ...(limits.maxSelectors === undefined ? {} : { maxSelectors: limits.maxSelectors }),
  });
  const { stream } = sut.openStream();
  sut.started(stream, 10n, of(API), 0);
  lease(sut, 0);
  return { sut, stream };
}

function lease(sut: GuardState, now: number, grantMs = 3_000): LeaseAsked {
  const asked = sut.askLease(now)!;
  sut.leaseGranted(asked, grantMs);
  return asked;
}

function keep(sut: GuardState, text: string, now: number, judgement: Judgement = judged(sut.held!)): void {
  expect(sut.answered(sut.ask(now), text, judgement, now)).toBe(true);
}

describe('a token under a lease', () => {
  it('is answered locally while three quarters of the grant last, counted from before the question', () => {
    const { sut } = ready();
    keep(sut, 'at', 1);
    expect(sut.find('at', 2_249)?.answer).toBe(answer);
    expect(sut.find('at', 2_250)).toBeUndefined();
  });

  it('is there again under the next lease', () => {
    const { sut } = ready();
    keep(sut, 'at', 1);
    lease(sut, 3_000);
    expect(sut.find('at', 3_001)).toBeDefined();
  });

  it('takes no room once it is over, or named', () => {
    const { sut, stream } = ready();
    keep(sut, 'short', 0, judged(10n, { keepMs: 100 }));
    keep(sut, 'named', 0);
    expect(sut.find('short', 100)).toBeUndefined();
    expect([sut.tokens, sut.counts.forgotten]).toEqual([1, 0]);
    sut.ruled(stream, 11n, key(alice));
    expect(sut.find('named', 1)).toBeUndefined();
    expect([sut.tokens, sut.counts.forgotten]).toEqual([0, 1]);
  });

  it('goes when what the node allowed is over, counted from before the question', () => {
    const { sut } = ready();
    const asked = sut.ask(0);
    expect(sut.answered(asked, 'at', judged(10n, { keepMs: 500 }), 400)).toBe(true);
    expect(sut.find('at', 499)).toBeDefined();
    expect(sut.find('at', 500)).toBeUndefined();
  });

  it('is kept for ten minutes at most', () => {
    const { sut, stream } = ready();
    keep(sut, 'at', 0, judged(10n, { keepMs: 10 * MAX_KEEP_MS }));
    sut.heard(stream, MAX_KEEP_MS);
    lease(sut, MAX_KEEP_MS - 1);
    expect(sut.find('at', MAX_KEEP_MS - 1)).toBeDefined();
    expect(sut.find('at', MAX_KEEP_MS)).toBeUndefined();
  });

  it('goes with a rule that names it, and not with one that does not', () => {
    const { sut, stream } = ready();
    keep(sut, 'at', 1);
    sut.ruled(stream, 11n, key(bob));
    expect(sut.find('at', 2)).toBeDefined();
    sut.ruled(stream, 12n, key(alice));
    expect(sut.find('at', 3)).toBeUndefined();
    expect(sut.tokens).toBe(0);
  });

  it.each<[string, Selector]>([
    ['all', { all: true }],
    ['its resource', { resource: API }],
    ['a conjunction that it meets', { ...alice, resource: API }],
  ])('goes with a rule on %s', (_, selector) => {
    const { sut, stream } = ready();
    keep(sut, 'at', 1);
    sut.ruled(stream, 11n, key(selector));
    expect(sut.find('at', 2)).toBeUndefined();
  });

  it('is not there without a lease, without a stream, after silence and after the stop', () => {
    const { sut, stream } = ready();
    keep(sut, 'at', 1);
    sut.streamEnded(stream);
    expect(sut.find('at', 2)).toBeUndefined();
    const next = sut.openStream();
    expect(next.after).toBe(10n);
    sut.started(next.stream, 10n, of(API), 3);
    expect(sut.find('at', 4)).toBeDefined();
    lease(sut, 5, 60_000);
    expect(sut.find('at', 2 + SILENCE_MS)).toBeDefined();
    expect(sut.find('at', 3 + SILENCE_MS)).toBeUndefined();
    sut.heard(next.stream, 3 + SILENCE_MS);
    expect(sut.find('at', 3 + SILENCE_MS)).toBeDefined();
    sut.stop();
    expect(sut.find('at', 3 + SILENCE_MS)).toBeUndefined();
  });

  it('beyond the bound, what was not asked for goes first', () => {
    const { sut } = ready({ maxTokens: 3 });
    for (const text of ['a', 'b', 'c']) keep(sut, text, 1);
    sut.find('a', 2);
    keep(sut, 'd', 3);
    expect(['a', 'b', 'c', 'd'].filter((text) => sut.find(text, 4))).toEqual(['a', 'c', 'd']);
    expect(sut.tokens).toBe(3);
  });
});

describe('what is not kept stands for its call alone', () => {
  it.each<[string, (sut: GuardState) => [Asked, Judgement, number]]>([
    ['the node said so', (sut) => [sut.ask(1), { answer, keep: undefined }, 2]],
    ['it took longer than it may be kept', (sut) => [sut.ask(1), judged(10n, { keepMs: 5 }), 6]],
    ['decided below what was applied when it was asked', (sut) => [sut.ask(1), judged(9n), 2]],
    [
      'a resource whose rules the stream leaves out',
      (sut) => [sut.ask(1), judged(10n, { sets: sets(alice, { resource: API }, { resource: OTHER }) }), 2],
    ],
    ['asked without a lease', (sut) => [sut.ask(2_250), judged(10n), 2_251]],
  ])('%s', (_, make) => {
    const { sut } = ready();
    const [asked, judgement, now] = make(sut);
    expect(sut.answered(asked, 'at', judgement, now)).toBe(false);
    expect(sut.tokens).toBe(0);
  });

  it('a text that is too long', () => {
    const { sut } = ready();
    expect(sut.answered(sut.ask(1), 'a'.repeat(MAX_KEPT_LENGTH + 1), judged(10n), 2)).toBe(false);
    expect(sut.answered(sut.ask(1), 'a'.repeat(MAX_KEPT_LENGTH), judged(10n), 2)).toBe(true);
  });

  it('before the first stream has started', () => {
    const sut = createGuardState({ maxTokens: 1 });
    expect(sut.answered(sut.ask(1), 'at', judged(10n), 2)).toBe(false);
    expect(sut.askLease(1)).toBeUndefined();
  });
});

describe('the traps', () => {
  it('a rule between question and answer: found when the answer did not know it, passed over when it did', () => {
    const { sut, stream } = ready();
    const asked = sut.ask(1);
    sut.ruled(stream, 11n, key(alice));
    sut.answered(asked, 'unaware', judged(10n), 2);
    sut.answered(asked, 'aware', judged(11n), 2);
    expect(sut.find('unaware', 3)).toBeUndefined();
    expect(sut.find('aware', 3)).toBeDefined();
  });

  it('an answer that is ahead of the stream is checked against what lies above it, and never set back', () => {
    const { sut, stream } = ready();
    keep(sut, 'at', 1, judged(15n));
    expect(sut.find('at', 2)).toBeDefined();
    sut.ruled(stream, 14n, key(alice));
    expect(sut.find('at', 3)).toBeDefined();
    sut.ruled(stream, 16n, key(alice));
    expect(sut.find('at', 4)).toBeUndefined();
  });

  it('a reply after a forget is kept only when it was judged with it', () => {
    const { sut, stream } = ready();
    const asked = sut.ask(1);
    sut.forget(stream, 12n, false);
    expect(sut.answered(asked, 'before', judged(11n), 2)).toBe(false);
    expect(sut.answered(asked, 'with', judged(12n), 2)).toBe(true);
  });

  it('a forget takes what was judged before it, also where it was checked since, and leaves what was judged with it', () => {
    const { sut, stream } = ready();
    keep(sut, 'before', 1);
    keep(sut, 'with', 1, judged(13n));
    sut.ruled(stream, 12n, key(bob));
    expect(sut.find('before', 2)).toBeDefined();
    sut.forget(stream, 13n, false);
    expect(sut.find('before', 3)).toBeUndefined();
    expect(sut.find('with', 3)).toBeDefined();
  });

  it('a forget that a stream brings again takes what was judged before it and has been checked beyond it', () => {
    const { sut, stream } = ready();
    keep(sut, 'at', 1);
    sut.advanced(stream, 13n);
    expect(sut.find('at', 2)?.checked).toBe(13n);
    sut.forget(stream, 12n, false);
    expect(sut.find('at', 3)).toBeUndefined();
    expect(sut.held).toBe(13n);
  });

  it('a forget of everything takes what was judged later too, and what is under way', () => {
    const { sut, stream } = ready();
    keep(sut, 'at', 1, judged(20n));
    const asked = sut.ask(1);
    sut.forget(stream, 10n, true);
    expect(sut.find('at', 2)).toBeUndefined();
    expect(sut.answered(asked, 'late', judged(20n), 2)).toBe(false);
    lease(sut, 2);
    keep(sut, 'new', 3, judged(10n));
  });

  it('a reply after a reset is not kept, whatever it knew', () => {
    const { sut, stream } = ready();
    const asked = sut.ask(1);
    sut.reset(stream, 50n, undefined, 2);
    lease(sut, 2);
    expect(sut.answered(asked, 'late', judged(60n), 3)).toBe(false);
    keep(sut, 'new', 3, judged(50n));
  });

  it('a reset to a node that is behind ends the lease: the old one vouched for more than what is held now', () => {
    const { sut } = ready();
    const stale = sut.askLease(1)!;
    const next = sut.openStream();
    sut.reset(next.stream, 7n, of(API), 2);
    expect(sut.held).toBe(7n);
    expect(sut.mayAnswer(3)).toBe(false);
    sut.leaseGranted(stale, 3_000);
    expect(sut.mayAnswer(3)).toBe(false);
    lease(sut, 3);
    keep(sut, 'at', 4, judged(7n));
    sut.ruled(next.stream, 8n, key(alice));
    expect(sut.find('at', 5)).toBeUndefined();
  });

  it('a reset begins another life, which has another id at the node: a late renewal of the last one would vouch for what is no longer held', () => {
    const { sut, stream } = ready();
    const before = sut.askLease(1)!;
    sut.reset(stream, 7n, undefined, 2);
    expect(sut.askLease(3)?.life).not.toBe(before.life);
    expect(sut.askLease(3)?.life).toBe(sut.askLease(4)?.life);
  });

  it('a stream that starts beyond what was held is a reset: what lies between was never heard', () => {
    const { sut, stream } = ready();
    keep(sut, 'at', 1);
    sut.streamEnded(stream);
    const next = sut.openStream();
    sut.started(next.stream, 12n, of(API), 2);
    expect(sut.counts.resets).toBe(1);
    expect(sut.tokens).toBe(0);
    expect(sut.mayAnswer(3)).toBe(false);
  });

  it('a late answer to an earlier renewal never extends beyond its own question', () => {
    const { sut } = ready();
    const [first, second] = [sut.askLease(100)!, sut.askLease(1_000)!];
    sut.leaseGranted(second, 2_000);
    sut.leaseGranted(first, 3_000);
    expect(sut.mayAnswer(2_499)).toBe(true);
    expect(sut.mayAnswer(2_500)).toBe(false);
  });

  it('a grant heard after the stop is not used', () => {
    const { sut } = ready();
    const asked = sut.askLease(1)!;
    sut.stop();
    sut.leaseGranted(asked, 3_000);
    expect(sut.mayAnswer(2)).toBe(false);
    expect(sut.askLease(2)).toBeUndefined();
  });

  it('a lease lost while an answer was under way: the answer is kept, and not found until there is one again', () => {
    const { sut } = ready();
    const asked = sut.ask(2_000);
    expect(sut.answered(asked, 'at', judged(10n), 2_400)).toBe(true);
    expect(sut.find('at', 2_400)).toBeUndefined();
    lease(sut, 2_500);
    expect(sut.find('at', 2_501)).toBeDefined();
  });

  it('no lease is asked for on a silent or broken stream, which would vouch for what never comes', () => {
    const { sut, stream } = ready();
    expect(sut.askLease(SILENCE_MS - 1)).toBeDefined();
    expect(sut.askLease(SILENCE_MS)).toBeUndefined();
    sut.streamEnded(stream);
    expect(sut.askLease(1)).toBeUndefined();
  });

  it('a renewal names what is held when it is sent', () => {
    const { sut, stream } = ready();
    sut.ruled(stream, 11n, key(bob));
    expect(sut.askLease(1)?.held).toBe(11n);
    sut.advanced(stream, 40n);
    expect(sut.askLease(1)?.held).toBe(40n);
    sut.advanced(stream, 39n);
    expect(sut.askLease(1)?.held).toBe(40n);
  });

  it('a narrower stream takes what it no longer covers, and what is under way', () => {
    const sut = createGuardState({ maxTokens: 10 });
    const first = sut.openStream();
    sut.started(first.stream, 10n, of(API, OTHER), 0);
    lease(sut, 0);
    keep(sut, 'api', 1);
    keep(sut, 'other', 1, judged(10n, { sets: sets(alice, { resource: OTHER }) }));
    const asked = sut.ask(1);
    for (const interest of [of(API), of(API, OTHER)]) {
      const next = sut.openStream();
      sut.started(next.stream, 10n, interest, 2);
    }
    expect(sut.find('api', 3)).toBeDefined();
    expect(sut.find('other', 3)).toBeUndefined();
    expect(sut.answered(asked, 'late', judged(10n, { sets: sets(alice, { resource: OTHER }) }), 3)).toBe(false);
  });

  it('an answer asked for on the narrower stream is not kept by the wider one that came meanwhile', () => {
    const { sut } = ready();
    const asked = sut.ask(1);
    const wider = sut.openStream();
    sut.started(wider.stream, 10n, of(API, OTHER), 2);
    expect(sut.answered(asked, 'at', judged(10n, { sets: sets({ resource: OTHER }) }), 3)).toBe(false);
    keep(sut, 'at', 3, judged(10n, { sets: sets({ resource: OTHER }) }));
  });

  it('while a wider stream catches up, the old one holds; what the old one says after that is not heard', () => {
    const { sut, stream } = ready();
    keep(sut, 'at', 1);
    const wider = sut.openStream();
    sut.ruled(stream, 11n, key(bob));
    expect(sut.find('at', 2)).toBeDefined();
    sut.started(wider.stream, 10n, of(API, OTHER), 3);
    expect(sut.held).toBe(11n);
    sut.forget(stream, 99n, true);
    sut.ruled(stream, 99n, key(bob));
    sut.advanced(stream, 99n);
    sut.streamEnded(stream);
    expect(sut.held).toBe(11n);
    expect(sut.find('at', 4)).toBeDefined();
    sut.ruled(wider.stream, 12n, key(alice));
    expect(sut.find('at', 5)).toBeUndefined();
  });

  it('a stream that was replaced cannot come back', () => {
    const { sut, stream } = ready();
    const wider = sut.openStream();
    sut.started(wider.stream, 10n, of(API, OTHER), 1);
    sut.started(stream, 10n, of(API), 2);
    sut.reset(stream, 5n, of(API), 2);
    expect(sut.held).toBe(10n);
    sut.ruled(wider.stream, 11n, key(bob));
    expect(sut.held).toBe(11n);
  });

  it('a rule of a later version, which cannot be read, makes everything judged before it be judged again', () => {
    const { sut, stream } = ready();
    keep(sut, 'before', 1);
    keep(sut, 'with', 1, judged(11n));
    const asked = sut.ask(1);
    sut.ruled(stream, 11n, { shape: 1 << DIMENSIONS.length, key: 'k'.repeat(16) });
    expect(sut.find('before', 2)).toBeUndefined();
    expect(sut.find('with', 2)).toBeDefined();
    expect(sut.answered(asked, 'late', judged(10n), 2)).toBe(false);
    expect(sut.held).toBe(11n);
  });

  it('selectors that had to be given up for newer ones take with them what was not checked since', () => {
    const { sut, stream } = ready({ maxSelectors: 2 });
    keep(sut, 'idle', 1);
    keep(sut, 'busy', 1);
    for (let seq = 11n; seq <= 14n; seq++) {
      sut.ruled(stream, seq, key({ agent_type: `type-${seq}` }));
      expect(sut.find('busy', 2)).toBeDefined();
    }
    expect(sut.find('idle', 3)).toBeUndefined();
  });

  it('two answers about one token that knew as much: the later one stays', () => {
    const { sut } = ready();
    keep(sut, 'at', 1, judged(12n, { keepMs: 10 }));
    keep(sut, 'at', 2, judged(12n, { keepMs: 1_000 }));
    expect(sut.find('at', 500)?.until).toBe(1_002);
  });

  it('two answers about one token: the one that knew more stays', () => {
    const { sut } = ready();
    const asked = sut.ask(1);
    sut.answered(asked, 'at', judged(12n), 2);
    expect(sut.answered(asked, 'at', judged(11n), 3)).toBe(false);
    expect(sut.find('at', 4)?.seen).toBe(12n);
  });
});

describe('what the stream is asked for', () => {
  it('a token of another resource widens it, once, and up to 256 resources by name', () => {
    const { sut } = ready();
    sut.answered(sut.ask(1), 'at', judged(10n, { sets: sets({ resource: API }, { resource: OTHER }) }), 2);
    expect(sut.wantsMore).toBe(true);
    expect(sut.openStream().also).toEqual([resourceKey(OTHER)]);
    expect(sut.wantsMore).toBe(false);
    sut.answered(sut.ask(1), 'at', judged(10n, { sets: sets({ resource: OTHER }) }), 2);
    expect(sut.wantsMore).toBe(false);
    for (let nth = 0; nth < 255; nth++)
      sut.answered(sut.ask(1), 'at', judged(10n, { sets: sets({ resource: `r-${nth}` }) }), 2);
    expect(sut.openStream().also).toHaveLength(256);
    sut.answered(sut.ask(1), 'at', judged(10n, { sets: sets({ resource: 'one more' }) }), 2);
    expect(sut.wantsMore).toBe(true);
    expect(sut.openStream().also).toBe('*');
    sut.answered(sut.ask(1), 'at', judged(10n, { sets: sets({ resource: 'and another' }) }), 2);
    expect(sut.wantsMore).toBe(false);
  });

  it('a token without a resource is covered by any stream', () => {
    expect(covers(new Set(), sets(alice))).toBe(true);
  });
});
