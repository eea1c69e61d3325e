import { describe, expect, it } from '@jest/globals';
import { checkHistory } from './check-history.js';
import { CheckLog, valueOf, type Check, type CheckAnswer, type RecordedToken, type SentOrder } from './history.js';

/** The host clock starts at an epoch second, so that the two are easily told apart: host 0 is this. */
const EPOCH_S = 1_800_000_000;
const alice = valueOf('user', 'https://idp.example', 'alice');
const bob = valueOf('user', 'https://idp.example', 'bob');
const chat = valueOf('resource', 'https://chat.example');

const token = (over: Partial<RecordedToken> = {}): RecordedToken => ({
  values: new Set([alice, chat]),
  grantedAt: EPOCH_S,
  skew: 2,
  recordingBegan: 100,
  recorded: 200,
  ...over,
});

const order = (over: Partial<SentOrder> = {}): SentOrder => ({
  selector: [alice],
  effect: 'revoke',
  door: 'order',
  began: 10_000,
  answered: 10_050,
  ...over,
});

const check = (answer: CheckAnswer, began: number, ended = began + 5): Check => ({
  token: 0,
  via: 0,
  began,
  ended,
  answer,
});

const judge = (checks: readonly Check[], orders: readonly SentOrder[] = [], of = token()) =>
  checkHistory({ epochAtZero: EPOCH_S * 1000, tokens: [of], orders, checks });

/** Judges a single check: the kind of its violation, or `right`. */
const kindOf = (one: Check, orders?: readonly SentOrder[], of?: RecordedToken): string =>
  judge([one], orders, of).violations[0]?.kind ?? 'right';

describe('a history', () => {
  it('is counted, and its first violations are reported with the orders that select the token', () => {
    const orders = [order(), order({ selector: [bob] }), order({ selector: [alice, chat] })];
    const checks = [
      check('active', 5_000),
      check('active', 11_000),
      check('inactive', 11_000),
      check('unavailable', 11_000),
      check('inactive', 5_000),
    ];
    expect(judge(checks, orders)).toEqual({
      checks: 5,
      active: 2,
      inactive: 2,
      unavailable: 1,
      afterAnswer: 2,
      stale: 1,
      wronglyInactive: 1,
      violations: [
        { kind: 'stale', check: checks[1], orders: [0, 2] },
        { kind: 'wrongly-inactive', check: checks[4], orders: [0, 2] },
      ],
    });
  });

  it('stores checks in columns without changing them', () => {
    const log = new CheckLog();
    for (let at = 0; at < 200_000; at += 1) log.push(at, at % 5, at % 3, at + 0.25, at + 0.5);
    expect(log.length).toBe(200_000);
    expect(log.at(131_073)).toEqual({ token: 131_073, via: 3, began: 131_073.25, ended: 131_073.5, answer: 'active' });
    expect([...log.between(199_998, 200_000)].map(({ answer }) => answer)).toEqual(['active', 'inactive']);
  });
});

describe('an order that nothing ends', () => {
  const revoke = order();
  it.each([
    ['active before it was sent', check('active', 9_000), 'right'],
    ['active while it was under way', check('active', 10_020), 'right'],
    ['active, asked before the answer, answered after it', check('active', 10_049, 12_000), 'right'],
    ['active, asked after the answer', check('active', 10_050.1), 'stale'],
    ['inactive, answered before it was sent', check('inactive', 9_000, 9_999), 'wrongly-inactive'],
    ['inactive, answered after it was sent', check('inactive', 9_000, 10_001), 'right'],
    ['inactive afterwards', check('inactive', 20_000), 'right'],
    ['unavailable at any time', check('unavailable', 20_000), 'right'],
  ])('%s: %3$s', (_, one, expected) => {
    expect(kindOf(one, [revoke])).toBe(expected);
  });

  it('selects by every member', () => {
    expect(kindOf(check('active', 20_000), [order({ selector: [alice, bob] })])).toBe('right');
    expect(kindOf(check('inactive', 20_000), [order({ selector: [alice, bob] })])).toBe('wrongly-inactive');
    expect(kindOf(check('active', 20_000), [order({ selector: [alice, chat] })])).toBe('stale');
    expect(kindOf(check('active', 20_000), [order({ selector: [] })])).toBe('stale');
  });

  it('may be in force for ever if it was not answered', () => {
    const unheard = order({ answered: undefined });
    expect(kindOf(check('active', 60_000), [unheard])).toBe('right');
    expect(kindOf(check('inactive', 60_000), [unheard])).toBe('right');
    expect(kindOf(check('inactive', 9_000), [unheard])).toBe('wrongly-inactive');
  });
});

describe('a revoke', () => {
  const revoke = order();
  const granted = (host: number): Partial<RecordedToken> => ({
    grantedAt: EPOCH_S + host / 1000,
    recordingBegan: host,
    recorded: host + 100,
  });
  it('does not stop tokens granted and recorded after it, beyond the skew', () => {
    const later = token(granted(16_000));
    expect(kindOf(check('active', 20_000), [revoke], later)).toBe('right');
    expect(kindOf(check('inactive', 20_000), [revoke], later)).toBe('wrongly-inactive');
  });
  it('stops tokens recorded before it, whatever their times say', () => {
    expect(kindOf(check('active', 20_000), [revoke], token({ grantedAt: EPOCH_S + 1_000 }))).toBe('stale');
  });
  it('may or may not stop tokens granted at about its time', () => {
    for (const answer of ['active', 'inactive'] as const)
      expect(kindOf(check(answer, 20_000), [revoke], token(granted(11_000)))).toBe('right');
  });
  it('compares only times if it names an earlier moment', () => {
    const earlier = order({ before: EPOCH_S + 5 });
    expect(kindOf(check('active', 20_000), [earlier], token({ grantedAt: EPOCH_S + 7 }))).toBe('stale');
    expect(kindOf(check('active', 20_000), [earlier], token({ grantedAt: EPOCH_S + 8 }))).toBe('right');
    expect(kindOf(check('inactive', 20_000), [earlier], token({ grantedAt: EPOCH_S + 8 }))).toBe('wrongly-inactive');
  });
});

describe('a revoke of a token, an ID-JAG or a session', () => {
  const session = valueOf('session', 'https://idp.example', 's-1');
  const later = token({
    values: new Set([alice, chat, session]),
    grantedAt: EPOCH_S + 30,
    recordingBegan: 30_000,
    recorded: 30_100,
  });
  it.each<[string, Partial<SentOrder>]>([
    ['ordered as one', {}],
    ['as a block that was lifted', { effect: 'block', lift: { resume: false, began: 15_000, answered: 15_050 } }],
    ['as a block that has ended', { effect: 'block', until: EPOCH_S + 20 }],
  ])('stops tokens granted and recorded later, too, %s', (_name, over) => {
    const byIdentity = order({ selector: [session], ...over });
    expect(kindOf(check('active', 60_000), [byIdentity], later)).toBe('stale');
    expect(kindOf(check('inactive', 60_000), [byIdentity], later)).toBe('right');
    expect(kindOf(check('active', 60_000), [order({ ...over })], later)).toBe('right');
  });
});

describe('a block that is lifted', () => {
  const lifted = (resume: boolean, answered: number | undefined = 15_050): SentOrder =>
    order({ effect: 'block', lift: { resume, began: 15_000, answered } });
  it('ends with the answer if it resumes, and need not hold from the sending on', () => {
    expect(kindOf(check('active', 14_000), [lifted(true)])).toBe('stale');
    expect(kindOf(check('active', 14_999, 15_001), [lifted(true)])).toBe('right');
    expect(kindOf(check('inactive', 15_049), [lifted(true)])).toBe('right');
    expect(kindOf(check('inactive', 15_051), [lifted(true)])).toBe('wrongly-inactive');
    expect(kindOf(check('active', 15_051), [lifted(true)])).toBe('right');
  });
  it('may still hold if it resumes and the lift was not answered', () => {
    const unheard = order({ effect: 'block', lift: { resume: true, began: 15_000 } });
    for (const answer of ['active', 'inactive'] as const)
      expect(kindOf(check(answer, 60_000), [unheard])).toBe('right');
  });
  it('leaves a revoke behind without resume: with no moment in between, and not for later tokens', () => {
    expect(kindOf(check('active', 15_010), [lifted(false)])).toBe('stale');
    expect(kindOf(check('active', 60_000), [lifted(false)])).toBe('stale');
    const later = token({ grantedAt: EPOCH_S + 30, recordingBegan: 30_000, recorded: 30_100 });
    expect(kindOf(check('inactive', 40_000), [lifted(false)], later)).toBe('wrongly-inactive');
    expect(kindOf(check('active', 40_000), [lifted(false)], later)).toBe('right');
  });
});

describe('a block with an end', () => {
  const ends = (resume: boolean): SentOrder => order({ effect: 'block', until: EPOCH_S + 20, resume });
  it('stops tokens granted later, too, until shortly before its end', () => {
    const later = token({ grantedAt: EPOCH_S + 15, recordingBegan: 15_000, recorded: 15_100 });
    expect(kindOf(check('active', 17_000), [ends(true)], later)).toBe('stale');
    for (const answer of ['active', 'inactive'] as const)
      expect(kindOf(check(answer, 20_000), [ends(true)], later)).toBe('right');
  });
  it('stops nothing after its end if it resumes', () => {
    expect(kindOf(check('inactive', 22_000), [ends(true)])).toBe('wrongly-inactive');
    expect(kindOf(check('active', 22_000), [ends(true)])).toBe('right');
  });
  it('goes on as a revoke as of its end without resume', () => {
    expect(kindOf(check('active', 20_000), [ends(false)])).toBe('stale');
    expect(kindOf(check('active', 60_000), [ends(false)])).toBe('stale');
    expect(kindOf(check('active', 60_000), [ends(false)], token({ grantedAt: EPOCH_S + 23 }))).toBe('right');
    expect(kindOf(check('inactive', 60_000), [ends(false)], token({ grantedAt: EPOCH_S + 23 }))).toBe(
      'wrongly-inactive',
    );
  });
});

describe('orders that overlap', () => {
  it('leave no moment between them in which the token may be active', () => {
    const first = order({ effect: 'block', lift: { resume: true, began: 15_000, answered: 15_050 } });
    const second = order({
      effect: 'block',
      selector: [chat],
      began: 14_000,
      answered: 14_900,
      lift: { resume: true, began: 18_000, answered: 18_050 },
    });
    expect(kindOf(check('active', 14_950, 15_500), [first, second])).toBe('stale');
    expect(kindOf(check('active', 14_950, 18_500), [first, second])).toBe('right');
  });
});
