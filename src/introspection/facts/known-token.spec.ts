import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../../test/conformance/signing.js';
import { RAS_SOURCE, TENANT, tokenFacts } from '../../../test/conformance/parties.js';
import type { TokenIssued } from '../../contracts/index.js';
import type { Tenant } from '../../control/index.js';
import { createRuleIndex, MAX_VALUES_PER_DIMENSION } from '../../rules/index.js';
import { activeBody, createShared, knowToken, referenceOf, setsOf, type KnownToken } from './known-token.js';

const NOW = 1_795_510_800;
const tenant: Tenant = {
  id: TENANT.id,
  name: TENANT.name,
  key: Buffer.from(TENANT.key, 'base64url'),
  rules: createRuleIndex(),
  version: 1,
};
const shared = createShared({ max: 100 });

function know(over: Partial<TokenIssued>, memoryKey = 'k', authTime?: number): KnownToken {
  const facts = tokenFacts(NOW, { ...over, ...(authTime === undefined ? {} : { auth_time: authTime }) });
  const stored = {
    tokens: [{ key: 'k', ix: 1n, facts, source: RAS_SOURCE.id, seenSeq: 7n, conflict: false }],
    idJags: [],
    complete: true,
    broken: false,
  };
  return knowToken(stored as never, { tenant, shared, memoryKey, readAt: 3 });
}
const bodyOf = (known: KnownToken): Record<string, unknown> => JSON.parse(activeBody(known)) as Record<string, unknown>;

describe('what is recorded of a token, as the decision needs it', () => {
  it('has the times that rules compare, and was not counted or asked about yet', () => {
    expect(know({ jti: 'j' }, 'k', NOW - 90)).toMatchObject({
      id: 'j',
      iat: NOW - 30,
      exp: NOW + 870,
      grantedAt: NOW - 40,
      authenticatedAt: NOW - 90,
      seenSeq: 7n,
      readAt: 3,
      asked: false,
      usage: -1,
    });
  });

  it('has no keys and no times where a rule could not match all of its values', () => {
    const aud = Array.from({ length: MAX_VALUES_PER_DIMENSION + 1 }, (_, at) => `https://api.example/${at}`);
    expect(know({ jti: 'j', aud })).toMatchObject({
      keys: undefined,
      commonKeys: '',
      grantedAt: 0,
      authenticatedAt: undefined,
      seenSeq: 0n,
    });
    expect([setsOf(know({ jti: 'j', aud })), setsOf(know({ jti: 'j' }))?.length]).toEqual([undefined, 9]);
  });

  it('is named as events name it', () => {
    const digest = digestOf('x');
    expect(
      [know({ jti: 'j' }), know({ sha256: digest }), know({ signing_input_sha256: digest })].map(referenceOf),
    ).toEqual([{ iss: 'https://login.chat.example', jti: 'j' }, { sha256: digest }, { signing_input_sha256: digest }]);
  });

  it('of an opaque token holds the digest once, as the memory that holds it names it', () => {
    const digest = digestOf('x');
    expect([know({ sha256: digest }, digest).id, know({ jti: 'j' }, digest).id]).toEqual([digest, 'j']);
  });

  it('has one spelling of the key that it is bound to, and none without one', () => {
    const [jkt, certificate] = [digestOf('a'), digestOf('b')];
    const of = (cnf: TokenIssued['cnf']) => know({ jti: 'j', ...(cnf ? { cnf } : {}) }).confirmation;
    expect([of(undefined), of({ jkt, more: 1 })]).toEqual(['', of({ jkt })]);
    expect(
      new Set([of({ jkt }), of({ 'x5t#S256': jkt }), of({ jkt, 'x5t#S256': certificate }), of(undefined)]).size,
    ).toBe(4);
  });
});

describe('the active answer', () => {
  it.each(['plain', 'with "quotes"', 'back\\slash', 'ünï', 'a\u007fb', '~', ' !#[]'])(
    'spells the id %j as JSON does, and knows its length',
    (jti) => {
      const known = know({ jti });
      expect([bodyOf(known)['jti'], known.bytes]).toEqual([jti, Buffer.byteLength(activeBody(known))]);
      expect(activeBody(known).match(/"jti"/g)).toHaveLength(1);
    },
  );

  it('has what is recorded beside, and nothing else', () => {
    const rest = { act: { sub: 'agent' }, auth_time: NOW - 90, acr: 'urn:acr', cnf: { jkt: digestOf('a') } };
    expect(bodyOf(know({ jti: 'j', ...rest }))).toMatchObject({ active: true, jti: 'j', ...rest });
    expect(Object.keys(bodyOf(know({ sha256: digestOf('x'), sub: undefined, scope: undefined })))).toEqual([
      'active',
      'iss',
      'client_id',
      'aud',
      'token_type',
      'exp',
      'iat',
    ]);
    expect(Object.keys(bodyOf(know({ sha256: digestOf('x'), kind: 'refresh', exp: undefined })))).toEqual([
      'active',
      'iss',
      'client_id',
      'aud',
      'scope',
      'sub',
      'iat',
    ]);
  });
});
