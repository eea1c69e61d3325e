import { describe, expect, it } from '@jest/globals';
import {
  createStatedNames,
  DIMENSIONS,
  MAX_VALUES_PER_DIMENSION,
  ruleKey,
  tokenKeys,
  tokenRef,
  type Dimension,
  type IdJagFacts,
  type Lineage,
  type Parts,
  type TokenFacts,
} from './index.js';

const KEY = Buffer.alloc(32, 1);
const IDP = 'https://idp.example';
const RAS = 'https://ras.example';

const token = (over: Partial<TokenFacts> = {}): TokenFacts => ({
  iss: RAS,
  jti: 'at-1',
  client_id: 'wiki',
  iat: 1_000,
  ...over,
});
const idJag = (over: Partial<IdJagFacts> = {}): IdJagFacts => ({ iss: IDP, jti: 'gr-1', iat: 900, ...over });
const lineage = (over: Partial<Lineage> = {}): Lineage => ({
  tokens: [token()],
  idJags: [],
  seenSeq: 3n,
  skew: 5,
  ...over,
});
const setOf = (of: Lineage, dimension: Dimension): readonly string[] =>
  [...tokenKeys(KEY, of)!.sets[DIMENSIONS.indexOf(dimension)]!].sort();
const keysOf = (dimension: Dimension, ...values: readonly Parts[]): readonly string[] =>
  values.map((parts) => ruleKey(KEY, dimension, parts)).sort();

const NAMED: readonly (readonly [string, Dimension, Lineage, readonly Parts[]])[] = [
  ['a JWT by issuer and jti', 'token', lineage(), [[RAS, 'at-1']]],
  ['an opaque token by its digest', 'token', lineage({ tokens: [token({ jti: undefined, sha256: 'd' })] }), [['d']]],
  [
    'each token of the lineage',
    'token',
    lineage({ tokens: [token(), token({ jti: 'at-0' })] }),
    [
      [RAS, 'at-1'],
      [RAS, 'at-0'],
    ],
  ],
  [
    'the parent that a token names',
    'token',
    lineage({ tokens: [token({ parent: { iss: RAS, jti: 'at-0' } })] }),
    [
      [RAS, 'at-1'],
      [RAS, 'at-0'],
    ],
  ],
  [
    'the token that an ID-JAG was exchanged for',
    'token',
    lineage({ idJags: [idJag({ parent: { sha256: 'd' } })] }),
    [[RAS, 'at-1'], ['d']],
  ],
  ['an ID-JAG by jti and by digest', 'id_jag', lineage({ idJags: [idJag({ sha256: 'd' })] }), [[IDP, 'gr-1'], ['d']]],
  ['an ID-JAG that a RAS states', 'id_jag', lineage({ tokens: [token({ id_jag: idJag() })] }), [[IDP, 'gr-1']]],
  [
    'the sessions of both',
    'session',
    lineage({ tokens: [token({ sid: 's', id_jag: idJag({ sid: 's' }) })] }),
    [
      [RAS, 's'],
      [IDP, 's'],
    ],
  ],
  [
    "the RAS's user and the IdP's",
    'user',
    lineage({ tokens: [token({ sub: 'l', id_jag: idJag({ sub: 'a', tenant: 't' }) })] }),
    [
      [RAS, null, 'l'],
      [IDP, 't', 'a'],
    ],
  ],
  [
    "the subject's local name belongs to the RAS",
    'user',
    lineage({ tokens: [token({ id_jag: idJag({ aud_sub: 'l', aud_tenant: 't' }) })] }),
    [[RAS, 't', 'l']],
  ],
  [
    "an ID-JAG's client_id belongs to its aud",
    'client',
    lineage({ tokens: [], idJags: [idJag({ aud: [RAS, 'r2'], client_id: 'c', idp_client_id: 'i' })] }),
    [
      [IDP, 'i'],
      [RAS, 'c'],
      ['r2', 'c'],
    ],
  ],
  [
    'a stated ID-JAG is addressed to its RAS, whatever it says',
    'client',
    lineage({ tokens: [token({ id_jag: idJag({ aud: ['r2'], client_id: 'c' }) })] }),
    [
      [RAS, 'wiki'],
      [RAS, 'c'],
    ],
  ],
  [
    "an agent's id is the IdP's, also where the token states it",
    'agent',
    lineage({ tokens: [token({ agent: { id: 'x' }, id_jag: idJag() })] }),
    [
      [RAS, 'x'],
      [IDP, 'x'],
    ],
  ],
  [
    'an agent type is bare',
    'agent_type',
    lineage({ tokens: [token({ agent: { type: 't' }, id_jag: idJag({ agent: { type: 't' } }) })] }),
    [['t']],
  ],
  [
    'aud and resource of everything',
    'resource',
    lineage({
      tokens: [token({ aud: ['a'], resource: ['b'] })],
      idJags: [idJag({ aud: [RAS], resource: ['a', 'c'] })],
    }),
    [['a'], ['b'], ['c'], [RAS]],
  ],
  [
    'each issuer',
    'issuer',
    lineage({ tokens: [token({ id_jag: idJag() })], idJags: [idJag({ iss: 'i2' })] }),
    [[RAS], [IDP], ['i2']],
  ],
];

describe('the keys of a token (wire.md, "Namespaced values and rule keys")', () => {
  it.each(NAMED)('%s', (_name, dimension, of, values) => {
    expect(setOf(of, dimension)).toEqual(keysOf(dimension, ...values));
  });

  const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `r-${at}`);

  it('holds 8 values of a dimension, and nothing at all with 9', () => {
    expect(setOf(lineage({ tokens: [token({ aud: many(MAX_VALUES_PER_DIMENSION) })] }), 'resource')).toHaveLength(8);
    expect(tokenKeys(KEY, lineage({ tokens: [token({ aud: many(MAX_VALUES_PER_DIMENSION + 1) })] }))).toBeUndefined();
  });

  it('counts named parents among the tokens', () => {
    const tokens = many(8).map((jti) => token({ jti, parent: { iss: RAS, jti: 'r-0' } }));
    expect(setOf(lineage({ tokens }), 'token')).toHaveLength(8);
    expect(
      tokenKeys(
        KEY,
        lineage({ tokens: [...tokens.slice(1), token({ jti: 'r-0', parent: { iss: RAS, jti: 'r-8' } })] }),
      ),
    ).toBeUndefined();
  });

  it('counts a value once, however often the lineage has it', () => {
    const tokens = many(8).map((jti) => token({ jti, aud: ['a'] }));
    expect(setOf(lineage({ tokens }), 'resource')).toHaveLength(1);
  });

  it('keeps apart what is spelled alike: dimensions, tenant keys, and names beyond those that are remembered', () => {
    const alike = lineage({ tokens: [token({ client_id: 'x', agent: { id: 'x', type: RAS }, aud: [RAS] })] });
    for (const dimension of ['client', 'agent', 'agent_type', 'resource', 'issuer'] as const) {
      const parts = dimension === 'client' || dimension === 'agent' ? [RAS, 'x'] : [RAS];
      expect(setOf(alike, dimension)).toEqual(keysOf(dimension, parts));
    }
    expect(tokenKeys(Buffer.alloc(32, 2), lineage())!.sets[8]).toEqual([ruleKey(Buffer.alloc(32, 2), 'issuer', [RAS])]);
    for (let at = 0; at < 10_000; at++) tokenKeys(KEY, lineage({ tokens: [token({ client_id: `c-${at}` })] }));
    expect(setOf(lineage({ tokens: [token({ client_id: 'c-1' })] }), 'client')).toEqual(keysOf('client', [RAS, 'c-1']));
  });

  it.each<[string, Partial<Lineage>, number]>([
    ['the token', {}, 1_000],
    ['an older ID-JAG that the RAS states', { tokens: [token({ id_jag: idJag({ iat: 500 }) })] }, 500],
    ['an older ID-JAG that the IdP stated', { idJags: [idJag({ iat: 400 })] }, 400],
    ['an older parent', { tokens: [token(), token({ jti: 'at-0', iat: 300 })] }, 300],
    [
      'the token, when it claims to be older than its ID-JAG',
      { tokens: [token({ iat: 100 })], idJags: [idJag()] },
      100,
    ],
    ['what states a time, beside what states none', { tokens: [token({ id_jag: idJag({ iat: undefined }) })] }, 1_000],
  ])('was granted at the time of %s', (_name, over, grantedAt) => {
    expect(tokenKeys(KEY, lineage(over))!.grantedAt).toBe(grantedAt);
  });

  it('is never active when nothing says when it was granted', () => {
    expect(tokenKeys(KEY, lineage({ tokens: [], idJags: [idJag({ iat: undefined })] }))).toBeUndefined();
  });

  it('takes the oldest sign-in, and none when none is stated', () => {
    expect(
      tokenKeys(
        KEY,
        lineage({
          tokens: [token({ auth_time: 80, id_jag: idJag({ auth_time: 70 }) })],
          idJags: [idJag({ auth_time: 90 })],
        }),
      )!.authenticatedAt,
    ).toBe(70);
    expect(tokenKeys(KEY, lineage())!.authenticatedAt).toBeUndefined();
  });

  it('what was never recorded was seen below no rule', () => {
    expect(tokenKeys(KEY, lineage({ seenSeq: undefined }))!.seenSeq).toBeGreaterThan(2n ** 61n);
    expect(tokenKeys(KEY, lineage({ seenSeq: 0n }))!.seenSeq).toBe(0n);
  });

  it('refuses facts without an identity', () => {
    expect(() => tokenRef({ iss: RAS })).toThrow(TypeError);
  });
});

describe('the names that facts state', () => {
  // The identity of a token is no statement of its facts: `tokenRef` reads it.
  it.each(NAMED.filter(([, dimension]) => dimension !== 'token'))(
    '%s: those that the keys are made of',
    (_name, dimension, { tokens, idJags }, values) => {
      const given: (readonly [Dimension, Parts])[] = [];
      const taker = { add: (...name: readonly [Dimension, Parts]): number => given.push(name) };
      const sut = createStatedNames([dimension]);
      for (const one of tokens) sut.ofToken(one, taker);
      for (const one of idJags) sut.ofIdJag(one, taker);
      expect(new Set(given.map(([of]) => of))).toEqual(new Set([dimension]));
      expect([...new Set(given.flatMap(([, parts]) => keysOf(dimension, parts)))].sort()).toEqual(
        keysOf(dimension, ...values),
      );
    },
  );

  it('no other dimension is given', () => {
    const given: Dimension[] = [];
    const facts = token({ agent: { id: 'x', type: 't' }, id_jag: idJag({ sid: 's' }) });
    createStatedNames(['agent_type']).ofToken(facts, { add: (dimension) => given.push(dimension) });
    expect(given).toEqual(['agent_type']);
  });
});
