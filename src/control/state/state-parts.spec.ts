import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { deadFrom, KEPT_S, selectorKey, tokenKeys, type Selector, type TokenKeys } from '../../rules/index.js';
import {
  createControlState,
  DEFAULT_TOKEN_PROFILE,
  type ControlRecord,
  type ControlState,
  type NewControlRecord,
  type RuleRecord,
  type Seq,
} from '../index.js';

const TENANTS = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'] as const;
const KEY = Buffer.alloc(32, 3);
const IDP = 'https://idp.example';
const NOW = 1_800_000_000;
const DAY = 86_400;
const SELECTORS: readonly Selector[] = ['alice', 'bob'].map((sub) => ({ user: { iss: IDP, sub }, issuer: IDP }));

const encoded = (selector: Selector): { shape: number; key: string } => {
  const { shape, key } = selectorKey(KEY, selector);
  return { shape, key: Buffer.from(key, 'latin1').toString('base64url') };
};
const tenantOf = (id: string, name: string): NewControlRecord => ({
  kind: 'tenant.changed',
  tenant: id,
  subject: id,
  body: { id, name, key: KEY.toString('base64url') },
});

/** One selector, or two selectors in one rule. */
const selector = fc.constantFrom<readonly [Selector, string?]>(...SELECTORS.map((one): readonly [Selector] => [one]), [
  SELECTORS[0]!,
  encoded(SELECTORS[1]!).key,
]);
const keysOf = ([one, other]: readonly [Selector, string?]) => ({
  ...encoded(one),
  ...(other === undefined ? {} : { or_keys: other }),
});
const tenant = fc.constantFrom(...TENANTS);
const origin = fc.record({
  source: fc.constantFrom('idp', 'hr'),
  at: fc.integer({ min: 0, max: 20 }).map((at) => (NOW + at) * 1_000),
  subject: fc.option(fc.constantFrom('one', 'other'), { nil: undefined }),
});
const ids = Array.from({ length: 8 }, (_, nth) => `00000000-0000-4000-8000-1000000000${nth}0`);
const record: fc.Arbitrary<NewControlRecord> = fc.oneof(
  fc
    .record({
      id: fc.constantFrom(...ids),
      tenant,
      selector,
      origin: fc.option(origin, { nil: undefined }),
      effect: fc.constantFrom('block' as const, 'revoke' as const),
      until: fc.option(fc.constantFrom(NOW + 10, NOW + DAY), { nil: undefined }),
    })
    .map(({ id, tenant: of, selector: what, origin: by, effect, until }): NewControlRecord => {
      const terms = effect === 'block' ? { effect, ...(until === undefined ? {} : { until }) } : { effect };
      const { subject, ...said } = by ?? {};
      const from = by
        ? { origin: { event: id, ...said, ...(subject === undefined ? {} : { subject }) } as RuleRecord['origin'] }
        : {};
      return {
        kind: 'rule.ordered',
        tenant: of,
        subject: id,
        body: {
          id,
          selector: what[0],
          ...keysOf(what),
          ...terms,
          reauthenticate: false,
          reason: 'spec',
          author: { caller: 'spec' },
          ...from,
        } as RuleRecord,
      };
    }),
  fc.record({ id: fc.constantFrom(...ids), tenant }).map(
    ({ id, tenant: of }): NewControlRecord => ({
      kind: 'rule.lifted',
      tenant: of,
      subject: id,
      body: { rule: id, resume: true, reason: 'spec', author: { caller: 'spec' } },
    }),
  ),
  fc.record({ tenant, selector, origin }).map(
    ({ tenant: of, selector: what, origin: { subject, ...said } }): NewControlRecord => ({
      kind: 'subject.enabled',
      tenant: of,
      subject: 'e',
      body: { ...keysOf(what), origin: { event: 'e', ...said, ...(subject === undefined ? {} : { subject }) } },
    }),
  ),
  tenant.map(
    (id): NewControlRecord => ({
      kind: 'caller.changed',
      tenant: id,
      subject: `c-${id.slice(-1)}`,
      body: {
        id: `c-${id.slice(-1)}`,
        roles: { audit: {} },
        secrets: [{ id: 's', sha256: `of-${id}`, created_at: NOW }],
        disabled: false,
      },
    }),
  ),
  tenant.map(
    (id): NewControlRecord => ({
      kind: 'source.changed',
      tenant: id,
      subject: `s-${id}`,
      body: {
        id: `s-${id}`,
        name: `n-${id.slice(-1)}`,
        uri: `urn:${id}`,
        topic: 't',
        types: [],
        issuers: [IDP],
        resources: [],
        profile: DEFAULT_TOKEN_PROFILE,
        disabled: false,
      },
    }),
  ),
);

const fold = (state: ControlState, records: readonly NewControlRecord[]): void => {
  for (const one of records) {
    const seq = (state.head + 1n) as Seq;
    state.apply({ ...one, seq, version: 1, at: (NOW + Number(seq)) * 1_000 } as ControlRecord);
  }
};
const tenants = [tenantOf(TENANTS[0], 'acme'), tenantOf(TENANTS[1], 'globex')];

/** Asks a state everything that it can answer. */
function answersOf(state: ControlState): unknown {
  const tokens = SELECTORS.flatMap(({ user }) =>
    [-5, 0, 5, 10, 15, 25, 26, DAY].map((at) => granted(user!.sub, NOW + at)),
  );
  return {
    head: state.head,
    registryVersion: state.registryVersion,
    tenants: [...state.tenants()].map(({ id, name, key, rules }) => ({
      id,
      name,
      key,
      rules: ids.map((rule) =>
        rules.rowsOf(rule).toSorted((one, other) => (one.selector.key < other.selector.key ? -1 : 1)),
      ),
      stopped: [NOW, NOW + 12, NOW + 2 * DAY].map((now) =>
        tokens.map((token) => rules.findAllStopping(token, now).toSorted()),
      ),
    })),
    sources: [...state.sources()],
    byUri: [...state.sources()].map(({ uri, name }) => [state.sourceByUri(uri), state.sourceByName(name)]),
    callers: [...state.callers()].map((caller) => [caller, state.callerBySecret(caller.secrets[0]!.sha256)]),
  };
}
const granted = (sub: string, iat: number): TokenKeys =>
  tokenKeys(KEY, { tokens: [], idJags: [{ iss: IDP, jti: `gr-${sub}`, sub, iat }], seenSeq: 4n, skew: 5 })!;

describe('a state that was dumped and loaded', () => {
  it('answers as the one that folded every record, now and after whatever comes next', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 30 }), fc.nat({ max: 30 }), (records, cut) => {
        const whole = createControlState();
        fold(whole, [...tenants, ...records]);
        const early = createControlState();
        fold(early, [...tenants, ...records.slice(0, cut)]);
        const sut = createControlState();
        for (const part of early.dump()) sut.load(part);
        expect(answersOf(sut)).toEqual(answersOf(early));
        fold(sut, records.slice(cut));
        expect(answersOf(sut)).toEqual(answersOf(whole));
      }),
      { numRuns: 500 },
    );
  });

  it('has no head before its last part: a load that was cut off is begun again, or the log is read', () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 5, maxLength: 20 }),
        fc.nat({ max: 2 }),
        fc.boolean(),
        (records, cut, again) => {
          const whole = createControlState();
          fold(whole, [...tenants, ...records]);
          const parts = whole.dump();
          const sut = createControlState();
          for (const part of parts.slice(0, Math.min(cut, parts.length - 1))) sut.load(part);
          expect([sut.head, sut.registryVersion]).toEqual([0n, 0]);
          if (again) for (const part of parts) sut.load(part);
          else fold(sut, [...tenants, ...records]);
          expect(answersOf(sut)).toEqual(answersOf(whole));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is not loaded over another one', () => {
    const sut = createControlState();
    fold(sut, tenants);
    expect(() => sut.load(sut.dump()[0]!)).toThrow(TypeError);
  });
});

describe('compaction of a state', () => {
  const given = (...over: readonly Partial<RuleRecord>[]): ControlState => {
    const state = createControlState();
    const body = {
      selector: SELECTORS[0]!,
      ...encoded(SELECTORS[0]!),
      reauthenticate: false,
      reason: 'spec',
      author: { caller: 'spec' },
    };
    fold(state, [
      ...tenants,
      ...over.map(
        (terms, nth): NewControlRecord => ({
          kind: 'rule.ordered',
          tenant: TENANTS[0],
          subject: ids[nth]!,
          body: { id: ids[nth]!, effect: 'revoke', ...body, ...terms },
        }),
      ),
    ]);
    return state;
  };
  const after = (state: ControlState, at: number): void =>
    state.apply({ ...tenants[1]!, seq: (state.head + 1n) as Seq, version: 1, at: at * 1_000 } as ControlRecord);
  const LATER = NOW + 365 * DAY;

  it('goes by the earlier of this clock and the last record’s: one that jumps ahead drops nothing', () => {
    const sut = given({});
    const end = deadFrom(sut.tenant(TENANTS[0])!.rules.get(ids[0]!)!)!;
    expect(sut.compact(LATER)).toBe(0);
    after(sut, LATER);
    expect([sut.compact(end - 1), sut.compact(end), sut.compact(LATER)]).toEqual([0, 1, 0]);
  });

  const SESSION: Selector = { session: { iss: 'https://idp.example', sid: 's-1' } };
  const ofSession = { effect: 'revoke', selector: SESSION, ...encoded(SESSION) } as const;

  it('leaves a rule by identity until the ledger says that it is not needed, whatever moment its record names', () => {
    const sut = given({ ...ofSession, before: 4_102_444_800 }, { effect: 'block' });
    const { rules } = sut.tenant(TENANTS[0])!;
    const at = NOW + 3;
    expect(rules.get(ids[0]!)).toMatchObject({ byIdentity: true, before: at });
    expect(sut.due(LATER).get(TENANTS[0])).toEqual([]);
    after(sut, LATER);
    expect([sut.compact(LATER), rules.size]).toEqual([0, 2]);
    const [due] = sut.due(LATER).get(TENANTS[0])!;
    expect([due, sut.due(at + KEPT_S - 1).get(TENANTS[0])]).toEqual([
      { tenant: TENANTS[0], rule: ids[0], lastUse: at },
      [],
    ]);
    expect([
      sut.settle(due!, at + DAY, at + KEPT_S),
      rules.get(ids[0]!)?.before,
      sut.due(at + KEPT_S).get(TENANTS[0]),
    ]).toEqual([false, at + DAY, []]);
    expect([sut.settle(due!, at, LATER), rules.get(ids[0]!), rules.get(ids[1]!)?.effect]).toEqual([
      true,
      undefined,
      'block',
    ]);
  });

  it('settles nothing of a rule that was lifted while the ledger was asked', () => {
    const sut = given({ ...ofSession, effect: 'block', until: NOW + 60 });
    after(sut, LATER);
    const [due] = sut.due(LATER).get(TENANTS[0])!;
    sut.tenant(TENANTS[0])!.rules.remove(due!.rule);
    expect([sut.settle(due!, NOW, LATER), sut.tenant(TENANTS[0])!.rules.size]).toEqual([false, 0]);
  });
});
