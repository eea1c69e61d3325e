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
  type RuleIndex,
  type Selector,
  type TokenFacts,
  type TokenKeys,
} from '../index.js';

const TENANT_KEY = Buffer.alloc(32, 7);

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
