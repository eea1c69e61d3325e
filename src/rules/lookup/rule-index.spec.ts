import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  createRuleIndex,
  DIMENSIONS,
  packKeys,
  selectorKey,
  tokenKeys,
  type Dimension,
  type IdJagFacts,
  type Lineage,
  isByIdentity,
  type NewRule,
  type Rule,
  type RuleIndex,
  type Selector,
  type TokenFacts,
  type TokenKeys,
} from '../index.js';

const TENANT_KEY = Buffer.alloc(32, 7);
const MAX_RULES_NAMED = 100;

/** The model that the index is compared with: rules by names, matched member by member, times compared as in the design, section 4. */
interface NamedRule extends Omit<NewRule, 'selector'> {
  readonly selector: Selector;
}
type Named = Readonly<Record<string, string | undefined>>;

/** Lists every value that a lineage has in each dimension, by name. */
function namesOf({ tokens, idJags }: Lineage): Readonly<Record<Dimension, readonly Named[]>> {
  const redeemed = tokens.flatMap((token) => (token.id_jag ? [{ ...token.id_jag, aud: [token.iss] }] : []));
  const grants: readonly IdJagFacts[] = [...redeemed, ...idJags];
  const everything = [...tokens, ...grants];
  const statedAgents = [
    ...everything.map(({ iss, agent }) => ({ iss, agent })),
    ...tokens.flatMap(({ id_jag: idJag, agent }) => (idJag ? [{ iss: idJag.iss, agent }] : [])),
  ];
  const names: Record<Dimension, Named[]> = {
    token: [
      ...tokens.map(({ iss, jti, sha256, signing_input_sha256: input }) =>
        jti === undefined ? { digest: sha256 ?? input } : { iss, jti },
      ),
      ...[...tokens, ...grants].flatMap(({ parent }) =>
        parent === undefined ? [] : ['jti' in parent ? { ...parent } : { digest: Object.values(parent)[0] }],
      ),
    ],
    id_jag: grants.flatMap(({ iss, jti, sha256 }) => [
      ...(jti === undefined ? [] : [{ iss, jti }]),
      ...(sha256 === undefined ? [] : [{ digest: sha256 }]),
    ]),
    session: everything.flatMap(({ iss, sid }) => (sid === undefined ? [] : [{ iss, sid }])),
    user: [
      ...everything.flatMap(({ iss, tenant, sub }) => (sub === undefined ? [] : [{ iss, tenant, sub }])),
      ...grants.flatMap((grant) =>
        grant.aud_sub === undefined
          ? []
          : (grant.aud ?? []).map((iss) => ({ iss, tenant: grant.aud_tenant, sub: grant.aud_sub })),
      ),
    ],
    client: [
      ...tokens.map(({ iss, client_id }) => ({ iss, client_id })),
      ...grants.flatMap(({ iss, idp_client_id: id }) => (id === undefined ? [] : [{ iss, client_id: id }])),
      ...grants.flatMap((grant) =>
        grant.client_id === undefined ? [] : (grant.aud ?? []).map((iss) => ({ iss, client_id: grant.client_id })),
      ),
    ],
    agent: statedAgents.flatMap(({ iss, agent }) => (agent?.id === undefined ? [] : [{ iss, id: agent.id }])),
    agent_type: statedAgents.flatMap(({ agent }) => (agent?.type === undefined ? [] : [{ value: agent.type }])),
    resource: everything.flatMap(({ aud = [], resource = [] }) => [...aud, ...resource].map((value) => ({ value }))),
    issuer: everything.map(({ iss }) => ({ value: iss })),
  };
  return names;
}

const isSame = (one: Named, other: Named): boolean =>
  [...Object.keys(one), ...Object.keys(other)].every((name) => one[name] === other[name]);

function asNamed(dimension: Dimension, selector: Selector): Named {
  const value = selector[dimension];
  if (typeof value === 'string') return { value };
  const named = value as Named;
  if (named['sha256'] !== undefined) return { digest: named['sha256'] };
  if (named['signing_input_sha256'] !== undefined) return { digest: named['signing_input_sha256'] };
  return named;
}

function asMember(dimension: Dimension, named: Named): unknown {
  if (dimension === 'agent_type' || dimension === 'resource' || dimension === 'issuer') return named['value'];
  return named['digest'] === undefined
    ? Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
    : { sha256: named['digest'] };
}

function selects(selector: Selector, lineage: Lineage): boolean {
  const names = namesOf(lineage);
  return DIMENSIONS.every(
    (dimension) =>
      selector[dimension] === undefined || names[dimension].some((name) => isSame(name, asNamed(dimension, selector))),
  );
}

function oldest(times: readonly (number | undefined)[]): number | undefined {
  return times.reduce(
    (least, time) => (time === undefined || (least !== undefined && least <= time) ? least : time),
    undefined,
  );
}

function isStopped(rule: NamedRule, lineage: Lineage, now: number): boolean {
  if (!selects(rule.selector, lineage)) return false;
  const members = [...lineage.tokens, ...lineage.tokens.map(({ id_jag: idJag }) => idJag), ...lineage.idJags];
  const granted = oldest(members.map((member) => member?.iat))!;
  const signedIn = oldest(members.map((member) => member?.auth_time));
  // A token, an ID-JAG and a session are not granted anew.
  const isIdentity = ['token', 'id_jag', 'session'].some((dimension) => dimension in rule.selector);
  if (rule.effect === 'block')
    return (
      rule.until === undefined ||
      rule.until > now ||
      (rule.resume !== true && (isIdentity || granted - lineage.skew <= rule.until))
    );
  if (isIdentity) return true;
  if (granted - lineage.skew <= rule.before) return true;
  if (rule.asOfOrder && lineage.seenSeq !== undefined && lineage.seenSeq < rule.seq) return true;
  return rule.reauthenticate && (signedIn === undefined || signedIn - lineage.skew <= rule.before);
}

/** Says whether the lineage is never active: more than 8 different values in a dimension, or no time of a grant. */
function isBeyondBounds(lineage: Lineage): boolean {
  const names = namesOf(lineage);
  const distinct = (named: readonly Named[]): number =>
    named.filter((name, at) => named.findIndex((other) => isSame(name, other)) === at).length;
  const hasTime =
    [...lineage.tokens, ...lineage.idJags].some(({ iat }) => iat !== undefined) ||
    lineage.tokens.some(({ id_jag: idJag }) => idJag?.iat !== undefined);
  return !hasTime || DIMENSIONS.some((dimension) => distinct(names[dimension]) > 8);
}

const time = fc.integer({ min: 90, max: 120 });
const seq = fc.bigInt({ min: 1n, max: 12n });
const iss = fc.constantFrom('https://idp.example', 'https://ras.example', 'https://other.example');
const id = fc.constantFrom('a', 'b', 'c', 'd');
const digest = fc.constantFrom(
  '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
  'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0',
);
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const list = fc.uniqueArray(fc.constantFrom(...'abcdefghij'), { maxLength: 6 });
const agent = fc.record({ id: optional(id), type: optional(id) });
const parent = fc.oneof(
  fc.record({ iss, jti: id }),
  digest.map((sha256) => ({ sha256 })),
  digest.map((signing_input_sha256) => ({ signing_input_sha256 })),
);
/** Ids of rules: UUIDs, as the service gives them, and others. */
const ruleIds = ['00000000-0000-4000-8000-00000000000', '00000001-0000-4000-8000-00000000000']
  .flatMap((uuid) => ['1', '2', '3'].map((nth) => uuid + nth))
  .concat('odd', 'öd');

const idJag: fc.Arbitrary<IdJagFacts> = fc.record({
  iss,
  jti: optional(id),
  sha256: optional(digest),
  sub: optional(id),
  tenant: optional(id),
  aud: optional(fc.uniqueArray(iss, { minLength: 1, maxLength: 2 })),
  resource: optional(list),
  aud_tenant: optional(id),
  aud_sub: optional(id),
  client_id: optional(id),
  idp_client_id: optional(id),
  sid: optional(id),
  agent: optional(agent),
  iat: optional(time),
  auth_time: optional(time),
  parent: optional(parent),
});

const identity = fc.oneof(
  id.map((jti) => ({ jti })),
  digest.map((sha256) => ({ sha256 })),
  digest.map((signing_input_sha256) => ({ signing_input_sha256 })),
);
const token: fc.Arbitrary<TokenFacts> = fc
  .record({
    iss,
    sub: optional(id),
    tenant: optional(id),
    client_id: id,
    aud: optional(list),
    resource: optional(list),
    iat: time,
    auth_time: optional(time),
    sid: optional(id),
    agent: optional(agent),
    id_jag: optional(idJag),
    parent: optional(parent),
  })
  .chain((facts) => identity.map((identified) => ({ ...facts, ...identified })));

const lineage: fc.Arbitrary<Lineage> = fc
  .record({
    tokens: fc.array(token, { maxLength: 3 }),
    idJags: fc.array(idJag, { maxLength: 3 }),
    seenSeq: optional(seq),
    skew: fc.integer({ min: 0, max: 6 }),
  })
  .filter(({ tokens, idJags }) => tokens.length + idJags.length > 0);

/** Members of a selector: each is a value of the lineage (`own`) or of another lineage. */
const wish = fc.record({
  members: fc.uniqueArray(
    fc.record({
      dimension: fc.constantFrom(...DIMENSIONS),
      pick: fc.nat(),
      own: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
    }),
    {
      maxLength: 4,
      selector: ({ dimension }) => dimension,
    },
  ),
  lineage: fc.nat(),
});

const effect = fc.oneof(
  fc.record({
    effect: fc.constant('revoke' as const),
    before: time,
    asOfOrder: fc.boolean(),
    reauthenticate: fc.boolean(),
  }),
  fc.record({
    effect: fc.constant('block' as const),
    before: time,
    asOfOrder: fc.constant(false),
    reauthenticate: fc.constant(false),
    until: optional(time),
    resume: optional(fc.constant(true)),
  }),
);
const origin = optional(fc.record({ speaker: fc.nat(9), at: fc.integer({ min: 90_000, max: 120_999 }) }));

const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      id: fc.constantFrom(...ruleIds),
      seq,
      wish,
      effect,
      origin,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('remove' as const), id: fc.constantFrom(...ruleIds, 'never put') }),
  },
);

type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never;

function grantWish({ members, lineage: of }: Wish, lineages: readonly Lineage[]): Selector {
  const at = of % lineages.length;
  const selector: Record<string, unknown> = {};
  for (const { dimension, pick, own } of members) {
    const names = namesOf(lineages[own ? at : (at + 1) % lineages.length]!)[dimension];
    if (names.length > 0) selector[dimension] = asMember(dimension, names[pick % names.length]!);
  }
  return Object.keys(selector).length === 0 ? { all: true } : (selector as Selector);
}

describe('RuleIndex against a model that compares names', () => {
  it('finds a rule exactly when one of the rules put and not removed stops the token', () => {
    const seen = { stopped: 0, free: 0, beyond: 0, widest: 0 };
    fc.assert(
      fc.property(
        fc.array(lineage, { minLength: 2, maxLength: 4 }),
        fc.array(operation, { minLength: 1, maxLength: 12 }),
        fc.array(time, { minLength: 1, maxLength: 2 }),
        (lineages, operations, moments) => {
          const sut = createRuleIndex();
          const model = new Map<string, NamedRule>();
          const keys = lineages.map((one) => tokenKeys(TENANT_KEY, one));
          keys.forEach((held, at) => expect(held === undefined).toBe(isBeyondBounds(lineages[at]!)));
          for (const one of operations) {
            if (one.kind === 'remove') {
              sut.remove(one.id);
              model.delete(one.id);
            } else {
              const rule = { id: one.id, seq: one.seq, ...one.effect, origin: one.origin };
              const selector = grantWish(one.wish, lineages);
              sut.put({ ...rule, selector: selectorKey(TENANT_KEY, selector) });
              model.set(one.id, { ...rule, selector });
            }
            expect(sut.size).toBe(model.size);
            for (const now of moments) keys.forEach((held, at) => compare(sut, model, held, lineages[at]!, now, seen));
          }
          const copy = createRuleIndex();
          for (const piece of sut.dump()) copy.load(piece);
          expect(copy.size).toBe(model.size);
          for (const now of moments) keys.forEach((held, at) => compare(copy, model, held, lineages[at]!, now, seen));
          for (const name of ruleIds) {
            const rule = model.get(name);
            const whole = rule && {
              ...rule,
              byIdentity: isByIdentity(rule.selector),
              selector: selectorKey(TENANT_KEY, rule.selector),
            };
            for (const index of [sut, copy]) expect(index.get(name)).toEqual(whole);
            if (whole) expect(sut.under(whole.selector).map((found) => found.id)).toContain(name);
          }
        },
      ),
      { numRuns: 300 },
    );
    // Guards the property: if no token were stopped, the model would agree with an index that finds nothing.
    expect(Math.min(seen.stopped, seen.free, seen.beyond)).toBeGreaterThan(300);
    expect(seen.widest).toBe(8);
  });

  function compare(
    sut: RuleIndex,
    model: ReadonlyMap<string, NamedRule>,
    keys: TokenKeys | undefined,
    of: Lineage,
    now: number,
    seen: { stopped: number; free: number; beyond: number; widest: number },
  ): void {
    if (!keys) {
      seen.beyond += 1;
      return;
    }
    const stopping = [...model.values()].filter((rule) => isStopped(rule, of, now)).map((rule) => rule.id);
    const found = sut.findStopping(keys, now);
    const { sets, ...times } = keys;
    const packed = { ...times, ...packKeys(sets) };
    for (const form of [keys, packed]) expect(sut.isStopped(form, now)).toBe(stopping.length > 0);
    expect(sut.findAllStopping(packed, now).toSorted()).toEqual(stopping.toSorted());
    expect(sut.findAllStopping(keys, now).toSorted()).toEqual(stopping.toSorted());
    if (stopping.length === 0) expect(found).toBeUndefined();
    else expect(stopping).toContain(found?.id);
    seen[stopping.length === 0 ? 'free' : 'stopped'] += 1;
    seen.widest = Math.max(seen.widest, ...keys.sets.map((set) => set.length));
  }
});

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
