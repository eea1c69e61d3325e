import { describe, expect, it } from '@jest/globals';
import {
  createRuleIndex,
  DIMENSIONS,
  packKeys,
  selectorKey,
  tokenKeys,
  type Dimension,
  type NewRule,
  type Rule,
  type Selector,
  type TokenFacts,
} from '../index.js';

const TENANT_KEY = Buffer.alloc(32, 7);
const MAX_RULES_NAMED = 100;

describe('RuleIndex', () => {
  const idp = 'https://idp.example';
  const ras = 'https://ras.example';
  const facts: TokenFacts = {
    iss: ras,
    jti: 'at-1',
    sub: 'local-alice',
    client_id: 'wiki-at-ras',
    aud: ['https://api.example'],
    iat: 1_000,
    id_jag: {
      iss: idp,
      jti: 'gr-1',
      sub: 'alice',
      sid: 's-1',
      client_id: 'wiki-at-ras',
      agent: { id: 'agent-7', type: 'assistant' },
    },
  };
  const keys = tokenKeys(TENANT_KEY, { tokens: [facts], idJags: [], seenSeq: 1n, skew: 5 })!;
  const whole: Selector = {
    token: { iss: ras, jti: 'at-1' },
    id_jag: { iss: idp, jti: 'gr-1' },
    session: { iss: idp, sid: 's-1' },
    user: { iss: idp, sub: 'alice' },
    client: { iss: ras, client_id: 'wiki-at-ras' },
    agent: { iss: idp, id: 'agent-7' },
    agent_type: 'assistant',
    resource: 'https://api.example',
    issuer: idp,
  };
  const foreign: Required<Omit<Selector, 'all'>> = {
    token: { iss: idp, jti: 'at-1' },
    id_jag: { iss: ras, jti: 'gr-1' },
    session: { iss: ras, sid: 's-1' },
    user: { iss: idp, tenant: 'acme', sub: 'alice' },
    client: { iss: idp, client_id: 'wiki-at-ras' },
    agent: { iss: ras, id: 'agent-7' },
    agent_type: 'Assistant',
    resource: 'https://api.example/',
    issuer: 'https://other.example',
  };
  const block = (selector: Selector, name = 'r'): NewRule => ({
    id: name,
    seq: 9n,
    selector: selectorKey(TENANT_KEY, selector),
    effect: 'block',
    before: 0,
    asOfOrder: false,
    reauthenticate: false,
  });
  const only = (dimensions: readonly Dimension[], of: Selector = whole): Selector =>
    Object.fromEntries(dimensions.map((dimension) => [dimension, of[dimension]]));
  const finds = (...rules: readonly NewRule[]): boolean => {
    const sut = createRuleIndex();
    for (const rule of rules) sut.put(rule);
    return sut.findStopping(keys, 2_000) !== undefined;
  };

  it.each(DIMENSIONS)('selects by %s, and not by the same name in another namespace or spelling', (dimension) => {
    expect(finds(block(only([dimension])))).toBe(true);
    expect(finds(block(only([dimension], foreign)))).toBe(false);
  });

  const conjunctions = combinations(DIMENSIONS, 4);
  it.each([1, 2, 3, 4])(
    'every conjunction of %d matches, and no longer when any one of its members differs',
    (size) => {
      const ofSize = conjunctions.filter((dimensions) => dimensions.length === size);
      expect(ofSize).toHaveLength([9, 36, 84, 126][size - 1]!);
      for (const dimensions of ofSize) {
        expect(finds(block(only(dimensions)))).toBe(true);
        for (const differing of dimensions)
          expect(finds(block({ ...only(dimensions), [differing]: foreign[differing] }))).toBe(false);
      }
    },
  );

  it('compares all 128 bits of a key: two users whose keys begin with the same 32 are not one', () => {
    const byFirstWord = new Map<string, string>();
    const userOf = (sub: string): Selector => ({ user: { iss: idp, sub } });
    // About 80,000 names are needed until two keys begin alike. The tenant key is fixed, so it is always the same two.
    for (let nth = 0; ; nth++) {
      const sub = `u-${nth}`;
      const first = selectorKey(TENANT_KEY, userOf(sub)).key.slice(0, 4);
      const other = byFirstWord.get(first);
      byFirstWord.set(first, sub);
      if (other === undefined) continue;
      const sut = createRuleIndex();
      sut.put(block(userOf(other)));
      const stops = (one: string): boolean =>
        sut.isStopped(
          tokenKeys(TENANT_KEY, {
            tokens: [{ ...facts, id_jag: { iss: idp, jti: 'gr-2', sub: one, client_id: 'wiki-at-ras' } }],
            idJags: [],
            seenSeq: 1n,
            skew: 5,
          })!,
          2_000,
        );
      expect([stops(other), stops(sub)]).toEqual([true, false]);
      sut.put(block(userOf(sub), 'other'));
      const under = (one: string): string[] => sut.under(selectorKey(TENANT_KEY, userOf(one))).map((found) => found.id);
      expect([under(other), under(sub)]).toEqual([['r'], ['other']]);
      return;
    }
  });

  it('tells apart ids that begin alike', () => {
    const ids = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'] as const;
    const sut = createRuleIndex();
    for (const name of ids) sut.put(block({ issuer: idp }, name));
    sut.remove(ids[0]);
    expect(ids.map((name) => sut.rowsOf(name).map((row) => row.id))).toEqual([[], [ids[1]]]);
  });

  it('holds the rows of a rule with several selectors as one rule', () => {
    const sut = createRuleIndex();
    const rows = [block({ issuer: idp }), { ...block({ issuer: 'https://other.example' }), effect: 'revoke' as const }];
    sut.put(rows[0]!, rows[1]!);
    expect(
      sut
        .rowsOf('r')
        .map((row) => row.effect)
        .toSorted(),
    ).toEqual(['block', 'revoke']);
    expect(sut.get('r')?.effect).toBe('block');
    sut.put(rows[1]!, rows[0]!);
    expect([sut.size, sut.get('r')?.effect]).toEqual([2, 'block']);
    expect(() => sut.put(rows[0]!, block({ all: true }, 'another'))).toThrow(RangeError);
    expect(sut.size).toBe(2);
    sut.remove('r', 'block');
    expect([sut.size, sut.get('r')?.effect, sut.findStopping(keys, 2_000)]).toEqual([1, 'revoke', undefined]);
    sut.add(rows[0]!);
    expect([sut.size, sut.findStopping(keys, 2_000)?.id]).toEqual([2, 'r']);
    sut.remove('r');
    expect([sut.size, sut.get('r')]).toEqual([0, undefined]);
  });

  it('counts each rule once, and none that stops nothing any more', () => {
    const sut = createRuleIndex();
    sut.put(block({ issuer: idp }, 'two rows'), block({ issuer: ras }, 'two rows'));
    sut.put({ ...block({ issuer: idp }, 'turns'), until: 1_500 });
    sut.put({ ...block({ issuer: idp }, 'ends'), until: 1_500, resume: true });
    expect([sut.count(1_499), sut.count(1_500)]).toEqual([3, 2]);
    sut.remove('two rows');
    expect(sut.count(1_500)).toBe(1);
  });

  it('adds no row of a rule that has a malformed one', () => {
    const sut = createRuleIndex();
    sut.put(block({ issuer: idp }, 'held'));
    expect(() => sut.put(block({ issuer: idp }), { ...block({ issuer: idp }), before: -1 })).toThrow(RangeError);
    sut.remove('held');
    expect([sut.size, sut.get('r'), sut.findStopping(keys, 2_000)]).toEqual([0, undefined, undefined]);
  });

  it('amends the rows of one selector for which there is a change', () => {
    const sut = createRuleIndex();
    sut.put(block({ issuer: idp }, 'a'));
    sut.put(block({ issuer: idp }, 'b'));
    sut.put(block({ issuer: ras }, 'c'));
    const asked: string[] = [];
    sut.amend(selectorKey(TENANT_KEY, { issuer: idp }), (rule) => {
      asked.push(rule.id);
      return rule.id === 'a' ? { ...rule, until: 1_500 } : undefined;
    });
    expect(asked.toSorted()).toEqual(['a', 'b']);
    expect(['a', 'b', 'c'].map((name) => sut.get(name)?.until)).toEqual([1_500, undefined, undefined]);
    sut.remove('b');
    sut.remove('c');
    expect([
      sut.size,
      sut.isStopped(keys, 1_499),
      sut.isStopped({ ...keys, grantedAt: 1_600 }, 1_499),
      sut.isStopped({ ...keys, grantedAt: 1_600 }, 1_500),
    ]).toEqual([1, true, true, false]);
  });

  it('goes on after pieces of another were loaded beside what it held', () => {
    const [sut, other] = [createRuleIndex(), createRuleIndex()];
    for (let nth = 0; nth < 20; nth++) {
      sut.put(block({ user: { iss: idp, sub: `u-${nth}` } }, `r-${nth}`));
      other.put(block({ issuer: nth === 7 ? idp : `https://${nth}.example` }, `loaded-${nth}`));
    }
    for (const piece of other.dump()) sut.load(piece);
    expect([sut.size, sut.findAllStopping(keys, 2_000)]).toEqual([40, ['loaded-7']]);
    sut.put(block({ issuer: idp }, 'new'));
    expect(sut.findAllStopping(keys, 2_000).toSorted()).toEqual(['loaded-7', 'new']);
    for (let nth = 0; nth < 20; nth++) for (const name of [`r-${nth}`, `loaded-${nth}`]) sut.remove(name);
    expect([sut.size, sut.findAllStopping(keys, 2_000)]).toEqual([1, ['new']]);
  });

  it('`all` matches everything', () => {
    expect(finds(block({ all: true }))).toBe(true);
  });

  it('finds one rule among several under one selector, when it alone stops', () => {
    const over: NewRule = {
      ...block(whole, 'over'),
      selector: selectorKey(TENANT_KEY, { issuer: idp }),
      effect: 'revoke',
      before: 10,
    };
    expect(finds(over, { ...over, id: 'over-2' })).toBe(false);
    expect(finds(over, block({ issuer: idp }, 'stops'), { ...over, id: 'over-2' })).toBe(true);
  });

  it('removes and replaces by id alone, whatever else stands under the selector', () => {
    const sut = createRuleIndex();
    const stopped = (): string | undefined => sut.findStopping(keys, 2_000)?.id;
    sut.put(block({ issuer: idp }, 'a'));
    sut.put(block({ issuer: idp }, 'b'));
    sut.put(block({ issuer: idp }, 'c'));
    sut.remove('a');
    sut.remove('a');
    sut.remove('never put');
    expect(sut.size).toBe(2);
    sut.put(block(only(['issuer'], foreign), 'b'));
    expect(stopped()).toBe('c');
    sut.remove('c');
    expect(stopped()).toBeUndefined();
    sut.put(block({ all: true }, 'b'));
    expect(stopped()).toBe('b');
    sut.remove('b');
    expect([stopped(), sut.size]).toEqual([undefined, 0]);
  });

  it('holds more rules than it began with room for, also under one selector, and drops them one by one', () => {
    const sut = createRuleIndex();
    const many = Array.from({ length: 1_000 }, (_, nth) =>
      block(nth % 2 === 0 ? { issuer: idp } : { user: { iss: idp, sub: `u-${nth}` } }, `r-${nth}`),
    );
    for (const rule of many) sut.put(rule);
    expect([sut.size, sut.under(selectorKey(TENANT_KEY, { issuer: idp })).length]).toEqual([1_000, 500]);
    expect(sut.findAllStopping(keys, 2_000)).toHaveLength(MAX_RULES_NAMED);
    for (const [nth, rule] of many.entries()) {
      expect(sut.get(rule.id)).toEqual({ ...rule, byIdentity: false });
      sut.remove(rule.id);
      expect(sut.findStopping(keys, 2_000) === undefined).toBe(nth >= 998);
    }
    for (const rule of many.toReversed()) sut.put(rule);
    expect(sut.size).toBe(1_000);
  });

  it.each<[string, Partial<Rule>]>([
    ['a moment that is no whole second', { before: 1.5 }],
    ['a moment before 1970', { before: -1 }],
    ['an end beyond 2106', { until: 2 ** 32 }],
    ['a key that is too short for its shape', { selector: { shape: 3, key: 'x'.repeat(16) } }],
    ['five members', { selector: { shape: 31, key: 'x'.repeat(80) } }],
  ])('refuses %s, and keeps what it held', (_name, over) => {
    const sut = createRuleIndex();
    sut.put(block({ issuer: idp }, 'r'));
    expect(() => sut.put({ ...block({ issuer: idp }, 'r'), ...over })).toThrow(RangeError);
    expect([sut.size, sut.findStopping(keys, 2_000)?.id]).toEqual([1, 'r']);
  });

  it('does not look past a set that is longer than any token has: it throws', () => {
    const sut = createRuleIndex();
    sut.put(block({ issuer: idp }));
    const sets = keys.sets.map((set) => (set.length > 0 ? Array.from({ length: 9 }, () => set[0]!) : set));
    expect(() => sut.findStopping({ ...keys, sets }, 2_000)).toThrow(RangeError);
    const { grantedAt, authenticatedAt, seenSeq, skew } = keys;
    expect(() => sut.findStopping({ ...packKeys(sets), grantedAt, authenticatedAt, seenSeq, skew }, 2_000)).toThrow(
      RangeError,
    );
  });

  it('names a hundred of the rules that stop a token, under whichever selectors they stand', () => {
    const sut = createRuleIndex();
    for (const [nth, selector] of [
      { issuer: idp },
      { issuer: ras },
      { user: whole.user! },
      { all: true } as const,
    ].entries()) {
      for (let one = 0; one < 60; one++) sut.put(block(selector, `r-${nth}-${one}`));
    }
    expect(sut.findAllStopping(keys, 2_000)).toHaveLength(100);
  });

  it('knows no rule of another tenant: the same selector has another key', () => {
    expect(finds({ ...block({ issuer: idp }), selector: selectorKey(Buffer.alloc(32, 8), { issuer: idp }) })).toBe(
      false,
    );
  });
});

function combinations(from: readonly Dimension[], most: number): Dimension[][] {
  return from
    .reduce<Dimension[][]>(
      (sets, one) => [...sets, ...sets.filter((set) => set.length < most).map((set) => [...set, one])],
      [[]],
    )
    .slice(1);
}
