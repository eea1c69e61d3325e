import { describe, expect, it } from '@jest/globals';
import { MAX_SELECTOR_MEMBERS, RescindError, SELECTOR_MEMBERS, type ErrorCode } from '../contracts/index.js';
import {
  commonSelector,
  DIMENSIONS,
  expandSelector,
  isByIdentity,
  namesIdentity,
  parseSelector,
  selectorKey,
  selectorKeys,
  splitSelectorKey,
  type OtherValues,
  type Selector,
  type SelectorKey,
} from './index.js';

const MAX_SELECTORS_A_RULE = 128;
const DIGEST = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU';
// The last character of 32 bytes carries 4 bits; `V` sets the two that must be zero.
const RESPELLED_DIGEST = `${DIGEST.slice(0, -1)}V`;
const LONGEST = 'é'.repeat(256);
const iss = 'https://idp.acme.example';

describe('parseSelector', () => {
  it.each<[string, unknown]>([
    ['a token by jti', { token: { iss, jti: 'at-1' } }],
    ['a token by digest', { token: { sha256: DIGEST } }],
    ['a token by the digest of its signing input', { token: { signing_input_sha256: DIGEST } }],
    ['an ID-JAG by jti', { id_jag: { iss, jti: 'gr-1' } }],
    ['an ID-JAG by digest', { id_jag: { sha256: DIGEST } }],
    ['a session', { session: { iss, sid: 's-1' } }],
    ['a user', { user: { iss, sub: 'alice' } }],
    ['a user of a tenant', { user: { iss, tenant: 'acme', sub: 'alice' } }],
    ['a client', { client: { iss, client_id: 'wiki' } }],
    ['an agent', { agent: { iss, id: 'agent-7' } }],
    ['an agent type', { agent_type: 'assistant' }],
    ['a resource', { resource: 'https://api.chat.example' }],
    ['an issuer', { issuer: iss }],
    ['everything', { all: true }],
    ['four members', { user: { iss, sub: 'alice' }, client: { iss, client_id: 'wiki' }, resource: 'r', issuer: iss }],
    ['an identifier of exactly 512 bytes', { resource: LONGEST }],
  ])('takes %s as it is', (_name, input) => {
    expect(parseSelector(structuredClone(input))).toEqual(input);
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /must be an object/],
    ['null', null, /must be an object/],
    ['a list', [{ issuer: iss }], /must be an object/],
    ['a string', 'all', /must be an object/],
    ['no member', {}, /has no members/],
    [
      'five members',
      {
        session: { iss, sid: 's' },
        user: { iss, sub: 'a' },
        client: { iss, client_id: 'c' },
        resource: 'r',
        issuer: iss,
      },
      /more than four/,
    ],
    ['`all` beside another member', { all: true, issuer: iss }, /contradicts/],
    ['`all` beside an unknown member', { all: true, tenant: 'x' }, /contradicts/],
    ['`all` that is false', { all: false }, /must be true/],
    ['`all` that is false beside another', { all: false, issuer: iss }, /contradicts/],
    ['`all` that is a string', { all: 'true' }, /must be true/],
    ['an unknown member', { tenant: 'acme' }, /unknown selector member `tenant`/],
    ['a known member in another case', { User: { iss, sub: 'a' } }, /unknown selector member/],
    ['a member named as what every object has', { constructor: 'x' }, /unknown selector member/],
    ['an own `__proto__`', JSON.parse('{"__proto__":{"iss":"i","sub":"a"}}'), /unknown selector member/],
    ['a user that is a string', { user: 'alice' }, /`user` must be an object/],
    ['a user that is a list', { user: [iss, 'alice'] }, /`user` must be an object/],
    ['a user that is null', { user: null }, /`user` must be an object/],
    ['a user without issuer', { user: { sub: 'alice' } }, /`user` must be \{iss, tenant\?, sub\}/],
    ['a user without sub', { user: { iss } }, /`user` must be/],
    [
      'a user whose tenant is null',
      { user: { iss, tenant: null, sub: 'a' } },
      /`user.tenant` must be a non-empty string/,
    ],
    ['a user with an empty tenant', { user: { iss, tenant: '', sub: 'a' } }, /`user.tenant` must be/],
    ['a user with another member', { user: { iss, sub: 'a', sid: 's' } }, /`user` must be/],
    ['a user with a number for sub', { user: { iss, sub: 7 } }, /`user.sub` must be/],
    ['a user that inherits its members', { user: Object.create({ iss, sub: 'a' }) as unknown }, /`user` must be/],
    ['a token by jti and digest', { token: { iss, jti: 'a', sha256: DIGEST } }, /`token` must be .* or .* or/],
    ['a token by both digests', { token: { sha256: DIGEST, signing_input_sha256: DIGEST } }, /`token` must be/],
    ['a token by issuer alone', { token: { iss } }, /`token` must be/],
    ['an empty token', { token: {} }, /`token` must be/],
    ['an ID-JAG by its signing input', { id_jag: { signing_input_sha256: DIGEST } }, /`id_jag` must be/],
    ['a session by sub', { session: { iss, sub: 'a' } }, /`session` must be/],
    ['a client by `id`', { client: { iss, id: 'wiki' } }, /`client` must be/],
    ['an agent by type', { agent: { iss, type: 'assistant' } }, /`agent` must be/],
    [
      'an agent type that is an object',
      { agent_type: { iss, type: 'assistant' } },
      /`agent_type` must be a non-empty string/,
    ],
    ['an empty resource', { resource: '' }, /`resource` must be a non-empty string/],
    ['several resources', { resource: ['a', 'b'] }, /`resource` must be/],
    ['an issuer that is a number', { issuer: 1 }, /`issuer` must be/],
    ['a NUL', { resource: 'a\0b' }, /NUL/],
    ['a NUL within a member', { user: { iss, sub: '\0' } }, /`user.sub` holds a NUL/],
    ['a lone surrogate', { issuer: 'a\ud800' }, /lone surrogate/],
    ['an identifier over 512 bytes in fewer characters', { resource: `${LONGEST}x` }, /over 512 bytes/],
    ['a jti over 512 bytes', { token: { iss, jti: 'x'.repeat(513) } }, /`token.jti` is over/],
    ['a digest with bits that nothing reads', { token: { sha256: RESPELLED_DIGEST } }, /base64url of 32 bytes/],
    [
      'such a digest of a signing input',
      { token: { signing_input_sha256: RESPELLED_DIGEST } },
      /base64url of 32 bytes/,
    ],
    ['such a digest of an ID-JAG', { id_jag: { sha256: RESPELLED_DIGEST } }, /base64url of 32 bytes/],
    ['a padded digest', { token: { sha256: `${DIGEST}=` } }, /base64url of 32 bytes/],
    ['a digest in plain base64', { token: { sha256: DIGEST.replace('-', '+') } }, /base64url of 32 bytes/],
    ['a digest in hexadecimal', { token: { sha256: 'e3'.repeat(32) } }, /base64url of 32 bytes/],
    ['a digest and a line break', { token: { sha256: `${DIGEST}\n` } }, /base64url of 32 bytes/],
  ])('refuses %s', (_name, input, message) => {
    const failure = (): unknown => parseSelector(input);
    expect(failure).toThrow(RescindError);
    expect(failure).toThrow(message);
  });

  it.each<[ErrorCode, unknown]>([
    ['empty-selector', {}],
    ['contradictory-selector', { all: false, issuer: iss }],
    ['selector-too-long', { user: 1, client: 1, resource: 1, issuer: 1, other: 1 }],
    ['invalid-selector', { other: 1 }],
  ])('says %s', (code, input) => {
    expect(() => parseSelector(input)).toThrow(expect.objectContaining({ code }));
  });

  it('echoes no more than 64 characters of an unknown name', () => {
    expect(() => parseSelector({ ['x'.repeat(5_000)]: 1 })).toThrow(
      new RescindError('invalid-selector', { detail: `unknown selector member \`${'x'.repeat(64)}\`` }),
    );
  });

  it('has a dimension for each member of the schema, in the same order, and none for `all`', () => {
    expect(MAX_SELECTOR_MEMBERS).toBe(4);
    expect(DIMENSIONS).toEqual(SELECTOR_MEMBERS);
    expect(DIMENSIONS).not.toContain('all');
  });
});

describe('a rule of several selectors', () => {
  const key = Buffer.alloc(32, 5);
  const client = (name: string) => ({ iss, client_id: name });
  const own: Selector = { user: { iss, sub: 'alice' }, client: client('a'), resource: 'r' };

  it('has one for each of its clients with each of its resources, its own first', () => {
    expect(expandSelector(own)).toEqual([own]);
    expect(
      expandSelector(own, { client: [client('b')], resource: ['s', 't'] }).map((one) => [
        one.client!.client_id,
        one.resource,
        one.user!.sub,
      ]),
    ).toEqual(['a', 'b'].flatMap((name) => ['r', 's', 't'].map((resource) => [name, resource, 'alice'])));
  });

  it('has the keys of all of them, in their order and each once', () => {
    const or = { client: [client('b'), client('a')], resource: ['s', 's'] };
    const all = [...new Set(expandSelector(own, or).map((one) => selectorKey(key, one).key))];
    expect(all).toHaveLength(4);
    expect(selectorKeys(key, own, or)).toEqual({ shape: selectorKey(key, own).shape, keys: all });
    expect(selectorKeys(key, own)).toEqual({ shape: selectorKey(key, own).shape, keys: [selectorKey(key, own).key] });
    expect(selectorKeys(key, { all: true })).toEqual({ shape: 0, keys: [''] });
  });

  it('has no more than there may be', () => {
    const others = (count: number) => ({ client: Array.from({ length: count }, (_, nth) => client(`c-${nth}`)) });
    expect(selectorKeys(key, own, others(MAX_SELECTORS_A_RULE - 1)).keys).toHaveLength(MAX_SELECTORS_A_RULE);
    expect(() => selectorKeys(key, own, others(MAX_SELECTORS_A_RULE))).toThrow(RangeError);
  });

  it('has in common what all of them name alike', () => {
    const common = (or: OtherValues): SelectorKey => commonSelector(selectorKeys(key, own, or));
    expect(common({})).toEqual(selectorKey(key, own));
    expect(common({ client: [client('b')] })).toEqual(selectorKey(key, { user: own.user!, resource: 'r' }));
    expect(common({ resource: ['s'] })).toEqual(selectorKey(key, { user: own.user!, client: own.client! }));
    expect(common({ client: [client('b')], resource: ['s'] })).toEqual(selectorKey(key, { user: own.user! }));
  });
});

describe('the keys of a selector', () => {
  const key = Buffer.alloc(32, 5);
  const whole: Required<Omit<Selector, 'all'>> = {
    token: { iss, jti: 'at' },
    id_jag: { iss, jti: 'gr' },
    session: { iss, sid: 's' },
    user: { iss, sub: 'alice' },
    client: { iss, client_id: 'wiki' },
    agent: { iss, id: 'a' },
    agent_type: 'assistant',
    resource: 'r',
    issuer: iss,
  };

  it.each(DIMENSIONS)('name %s by its own bit', (dimension) => {
    const one = selectorKey(key, { [dimension]: whole[dimension] });
    expect(one.shape).toBe(1 << DIMENSIONS.indexOf(dimension));
    expect(splitSelectorKey(one)).toEqual([[dimension, one.key]]);
    const isIdentity = dimension === 'token' || dimension === 'id_jag' || dimension === 'session';
    expect([namesIdentity(one.shape), isByIdentity({ [dimension]: whole[dimension] })]).toEqual([
      isIdentity,
      isIdentity,
    ]);
  });

  it('stand one after the other, by dimension', () => {
    const { shape, key: text } = selectorKey(key, { issuer: iss, user: whole.user, session: whole.session });
    expect(splitSelectorKey({ shape, key: text }).map(([dimension]) => dimension)).toEqual([
      'session',
      'user',
      'issuer',
    ]);
    expect(
      splitSelectorKey({ shape, key: text })
        .map(([, one]) => one)
        .join(''),
    ).toBe(text);
    expect([namesIdentity(shape), namesIdentity(0), isByIdentity({ all: true })]).toEqual([true, false, false]);
  });
});
