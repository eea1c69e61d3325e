import { createSign, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { digestOf, jwtIdentity, tokenIdentity } from './index.js';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
function signed(claims: unknown): string {
  const input = `${encode({ alg: 'ES256' })}.${encode(claims)}`;
  return `${input}.${createSign('sha256').update(input).sign({ key: privateKey, dsaEncoding: 'ieee-p1363' }, 'base64url')}`;
}

describe('digestOf', () => {
  it('is SHA-256, base64url without padding', () => {
    // FIPS 180-2, appendix B.1.
    expect(Buffer.from(digestOf('abc'), 'base64url').toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(digestOf('abc')).toHaveLength(43);
  });
});

describe('jwtIdentity', () => {
  it('is issuer and jti', () => expect(jwtIdentity(signed({ iss: 'i', jti: 'j' }))).toEqual({ iss: 'i', jti: 'j' }));

  it('without a jti is the same for every signature over the same input', () => {
    const [first, second] = [signed({ iss: 'i', sub: 'u' }), signed({ iss: 'i', sub: 'u' })];
    expect(first).not.toBe(second);
    expect(jwtIdentity(first)).toEqual(jwtIdentity(second));
    expect(jwtIdentity(first)).toEqual({ signing_input_sha256: digestOf(first.slice(0, first.lastIndexOf('.'))) });
  });

  it.each([[{ jti: 'j' }], [{ iss: 'i', jti: 7 }], [{ iss: 'i', jti: '' }]])('of %p is its signing input', (claims) => {
    expect(jwtIdentity(signed(claims))).toHaveProperty('signing_input_sha256');
  });

  it.each([
    '',
    'opaque',
    'a.b.c',
    `${encode([])}.${encode({})}.x`,
    `${encode({ alg: 'ES256' })}.${encode(1)}.x`,
    `${signed({})}.x`,
  ])('refuses %p', (text) => {
    expect(() => jwtIdentity(text)).toThrow(TypeError);
  });
});

describe('tokenIdentity', () => {
  it('is the digest of an opaque token, also of one with dots', () => {
    for (const token of ['at_6Gq1', 'a.b.c']) expect(tokenIdentity(token)).toEqual({ sha256: digestOf(token) });
    expect(tokenIdentity(signed({ iss: 'i', jti: 'j' }))).toEqual({ iss: 'i', jti: 'j' });
  });
});
