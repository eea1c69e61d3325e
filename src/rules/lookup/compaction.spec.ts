import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  createRuleIndex,
  deadFrom,
  selectorKey,
  stops,
  tokenKeys,
  type Rule,
  type Selector,
  type TokenKeys,
} from '../index.js';

const KEY = Buffer.alloc(32, 5);
const IDP = 'https://idp.example';
const START = 1_800_000_000;
const DAY = 86_400;
const MAX_LINEAGE_AGE_S = 30 * DAY;
/** Limits of intake and registry: how far a grant's time may be after its arrival, and a source's largest skew. */
const FUTURE_S = 300;
const MAX_SKEW_S = 300;
const KEPT_S = MAX_SKEW_S + MAX_LINEAGE_AGE_S + 3_600;
/** The longest time between a batch's reading of the control head and the arrival of its entries. */
const BATCH_S = 60;
/** How far the clock that drops rules may be ahead of the clock that judges tokens. */
const CLOCKS_APART_S = 600;

const ALICE: Selector = { user: { iss: IDP, sub: 'alice' } };
const SELECTORS: readonly Selector[] = [
  ALICE,
  { issuer: IDP },
  { ...ALICE, agent_type: 'bot' },
  { user: { iss: IDP, sub: 'bob' } },
  { all: true },
];

const moment = fc.oneof(
  fc.integer({ min: 0, max: 80 * DAY }),
  fc.constantFrom(0, DAY, 30 * DAY, 31 * DAY).chain((at) => fc.integer({ min: at, max: at + 1_000 })),
);

interface WantedRule {
  readonly at: number;
  readonly selector: Selector;
  readonly kind: 'as-of-order' | 'as-of-moment' | 'new-sign-in' | 'block' | 'ends' | 'resumes';
  readonly offset: number;
}
const wantedRule: fc.Arbitrary<WantedRule> = fc.record({
  at: moment,
  selector: fc.constantFrom(...SELECTORS),
  kind: fc.constantFrom('as-of-order', 'as-of-moment', 'new-sign-in', 'block', 'ends', 'resumes'),
  offset: fc.integer({ min: 0, max: 2 * DAY }),
});
const wantedToken = fc.record({
  arrival: moment,
  /** How much older its `iat` is than the latest that intake lets through. */
  age: fc.oneof(fc.integer({ min: 0, max: 700 }), fc.integer({ min: 0, max: 40 * DAY })),
  batch: fc.integer({ min: 0, max: BATCH_S }),
  signedInBefore: fc.option(fc.integer({ min: 0, max: 60 * DAY }), { nil: undefined }),
  skew: fc.constantFrom(0, 5, MAX_SKEW_S),
  type: fc.constantFrom('bot', 'assistant'),
  seen: fc.boolean(),
});

/** Builds rules in the order of their seqs, which is also the order of their times. */
const rulesOf = (wanted: readonly WantedRule[]): readonly Rule[] =>
  wanted
    .toSorted((one, other) => one.at - other.at)
    .map(({ at, selector, kind, offset }, nth) => {
      const isBlock = kind === 'block' || kind === 'ends' || kind === 'resumes';
      return {
        id: `r-${nth}`,
        seq: BigInt(nth + 1),
        selector: selectorKey(KEY, selector),
        effect: isBlock ? 'block' : 'revoke',
        byIdentity: false,
        before: START + at - (kind === 'as-of-moment' ? offset : 0),
        asOfOrder: kind === 'as-of-order' || kind === 'new-sign-in',
        reauthenticate: kind === 'new-sign-in',
        ...(kind === 'ends' || kind === 'resumes' ? { until: START + at + offset } : {}),
        ...(kind === 'resumes' ? { resume: true } : {}),
      };
    });

function keysOf(
  wanted: typeof wantedToken extends fc.Arbitrary<infer T> ? T : never,
  rules: readonly Rule[],
): TokenKeys {
  const iat = START + wanted.arrival + FUTURE_S - wanted.age;
  const committed = rules.filter((rule) => rule.before <= START + wanted.arrival - wanted.batch).length;
  const signedIn = wanted.signedInBefore === undefined ? {} : { auth_time: iat - wanted.signedInBefore };
  const idJag = { iss: IDP, jti: 'gr', sub: 'alice', iat, agent: { type: wanted.type }, ...signedIn };
  return tokenKeys(KEY, {
    tokens: [],
    idJags: [idJag],
    seenSeq: wanted.seen ? BigInt(committed) : undefined,
    skew: wanted.skew,
  })!;
}

/** Decides as introspection does, by age and rules only (design, section 4). */
const isActive = (keys: TokenKeys, now: number, isStopped: boolean): boolean =>
  now - keys.grantedAt <= MAX_LINEAGE_AGE_S && !isStopped;

describe('compaction', () => {
  it('changes no answer, whatever was ordered, granted and dropped when', () => {
    const seen = { dropped: 0, kept: 0, active: 0, stopped: 0, coveredByAge: 0 };
    fc.assert(
      fc.property(
        fc.array(wantedRule, { minLength: 1, maxLength: 8 }),
        fc.array(wantedToken, { minLength: 1, maxLength: 8 }),
        fc.nat(),
        fc.integer({ min: -400, max: 4_000 }),
        fc.integer({ min: 0, max: CLOCKS_APART_S }),
        (wantedRules, wantedTokens, of, near, apart) => {
          const rules = rulesOf(wantedRules);
          const tokens = wantedTokens.map((wanted) => keysOf(wanted, rules));
          const ends = rules.map((rule) => deadFrom(rule) ?? rule.before + MAX_LINEAGE_AGE_S);
          // A time near the moment at which a rule is dropped.
          const now = ends[of % ends.length]! - apart + near;
          const whole = createRuleIndex();
          const compacted = createRuleIndex();
          for (const rule of rules) {
            whole.put(rule);
            compacted.put(rule);
          }
          const dropped = compacted.compact(now + apart);
          expect(compacted.size).toBe(rules.length - dropped);
          seen.dropped += dropped;
          seen.kept += compacted.size;
          for (const keys of tokens) {
            const withAll = whole.findStopping(keys, now) !== undefined;
            const withFewer = compacted.findStopping(keys, now) !== undefined;
            expect(isActive(keys, now, withFewer)).toBe(isActive(keys, now, withAll));
            if (withAll && !withFewer) seen.coveredByAge += 1;
            seen[isActive(keys, now, withAll) ? 'active' : 'stopped'] += 1;
          }
        },
      ),
      { numRuns: 3_000 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(300);
  });

  const rule = (over: Partial<Rule>): Rule => ({
    id: 'r',
    seq: 9n,
    selector: selectorKey(KEY, ALICE),
    effect: 'revoke',
    byIdentity: false,
    before: START,
    asOfOrder: true,
    reauthenticate: false,
    ...over,
  });
  const granted = (iat: number, skew: number): TokenKeys =>
    tokenKeys(KEY, { tokens: [], idJags: [{ iss: IDP, jti: 'gr', sub: 'alice', iat }], seenSeq: undefined, skew })!;

  it('comes as soon as it may, clocks aside: until a source’s skew and the age of a lineage are over, a revoke is needed', () => {
    const last = START + MAX_SKEW_S + MAX_LINEAGE_AGE_S;
    const youngest = granted(START + MAX_SKEW_S, MAX_SKEW_S);
    expect([
      stops(rule({}), youngest, last),
      isActive(youngest, last, false),
      isActive(youngest, last + 1, false),
    ]).toEqual([true, true, false]);
    expect(deadFrom(rule({}))! - last).toBe(3_600);
  });

  it.each<[string, Partial<Rule>]>([
    ['a block without an end', { effect: 'block' }],
    ['a revoke that wants a new sign-in: it reaches what is granted today', { reauthenticate: true }],
  ])('never drops %s', (_name, over) => {
    const sut = createRuleIndex();
    sut.put(rule(over));
    expect([deadFrom(rule(over)), sut.compact(Number.MAX_SAFE_INTEGER), sut.size]).toEqual([undefined, 0, 1]);
  });

  it('leaves a rule by identity to whoever knows what was recorded with it, from a lineage’s age after its last known use on', () => {
    const session = selectorKey(KEY, { session: { iss: IDP, sid: 's-1' } });
    const sut = createRuleIndex();
    sut.put(rule({ id: 'revoke', selector: session }));
    sut.put(rule({ id: 'ended', selector: session, effect: 'block', until: START + DAY }));
    sut.put(rule({ id: 'resumes', selector: session, effect: 'block', until: START + DAY, resume: true }));
    sut.put(rule({ id: 'block', selector: session, effect: 'block' }));
    sut.put(rule({ id: 'other', selector: selectorKey(KEY, ALICE) }));
    const due = (now: number): string[] => sut.due(now).map(({ id }) => id);
    expect([due(START + KEPT_S - 1), due(START + KEPT_S), due(START + DAY + KEPT_S)]).toEqual([
      [],
      ['revoke'],
      ['revoke', 'ended'],
    ]);
    expect([sut.compact(Number.MAX_SAFE_INTEGER), sut.get('other'), sut.get('resumes')]).toEqual([
      2,
      undefined,
      undefined,
    ]);
    // Simulates that something was recorded with the session later.
    sut.put({ ...sut.get('revoke')!, before: START + 2 * DAY });
    expect([due(START + DAY + KEPT_S), due(START + 2 * DAY + KEPT_S)]).toEqual([['ended'], ['ended', 'revoke']]);
  });

  it('drops a block that resumes soon after its end, and another one a lineage’s age later', () => {
    const until = START + DAY;
    expect(deadFrom(rule({ effect: 'block', until, resume: true }))).toBe(until + 3_600);
    expect(deadFrom(rule({ effect: 'block', until }))).toBe(until + MAX_SKEW_S + MAX_LINEAGE_AGE_S + 3_600);
  });

  it('leaves an index that can be put to, removed from and dumped', () => {
    const sut = createRuleIndex();
    for (let nth = 0; nth < 300; nth++)
      sut.put(rule({ id: `r-${nth}`, before: nth % 3 === 0 ? START + 90 * DAY : START }));
    expect(sut.compact(deadFrom(rule({}))!)).toBe(200);
    for (let nth = 0; nth < 300; nth++) expect(sut.get(`r-${nth}`) === undefined).toBe(nth % 3 !== 0);
    sut.put(rule({ id: 'new' }));
    sut.remove('r-0');
    const copy = createRuleIndex();
    for (const piece of sut.dump()) copy.load(piece);
    expect([copy.size, copy.get('new')?.before, copy.get('r-0'), copy.get('r-3')?.before]).toEqual([
      100,
      START,
      undefined,
      START + 90 * DAY,
    ]);
  });
});
