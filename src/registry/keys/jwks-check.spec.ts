import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { RescindError } from '../../contracts/index.js';
import { checkKeys, importKey, type Jwk } from './jwks-check.js';

const jwkOf = (key: { export(options: { format: 'jwk' }): unknown }): Jwk => key.export({ format: 'jwk' }) as Jwk;
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const es256 = { ...jwkOf(ec.publicKey), kid: 'ec' };
const ed25519 = { ...jwkOf(generateKeyPairSync('ed25519').publicKey), kid: 'ed' };
const rsa = { ...jwkOf(generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey), kid: 'rsa' };
const shortRsa = jwkOf(generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey);
const p521 = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey);
const k256 = jwkOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey);
const p384 = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey);
const x25519 = jwkOf(generateKeyPairSync('x25519').publicKey);

const codeOf = (check: () => unknown): string | undefined => {
  try {
    check();
    return undefined;
  } catch (error) {
    return error instanceof RescindError ? error.code : String(error);
  }
};

describe('a key set', () => {
  it('keeps what a public key needs and drops the rest', () => {
    const [kept] = checkKeys([{ ...es256, alg: 'ES256', use: 'sig', x5c: ['MII…'], jku: 'https://evil.example' }]);
    expect(kept).toEqual({ ...es256, alg: 'ES256', use: 'sig' });
    expect(checkKeys([es256, ed25519, rsa])).toHaveLength(3);
  });

  it('gives each key the algorithms that fit it', () => {
    expect(importKey(es256).algorithms).toEqual(['ES256']);
    expect(importKey(ed25519).algorithms).toEqual(['EdDSA']);
    expect(importKey(rsa).algorithms).toEqual(['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512']);
    expect([importKey(p384).algorithms, importKey(p521).algorithms]).toEqual([['ES384'], ['ES512']]);
    expect(importKey({ ...rsa, alg: 'RS256' }).algorithms).toEqual(['RS256']);
  });

  it.each<[string, Jwk]>([
    ['a private key', jwkOf(ec.privateKey)],
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }],
    ['a symmetric key dressed as a curve', { ...es256, k: 'c2VjcmV0' }],
    ['another curve', k256],
    ['an alg of another curve', { ...p384, alg: 'ES256' }],
    ['a key for agreement', x25519],
    ['an RSA key of 1024 bits', shortRsa],
    ['an RSA key with exponent 1', { ...rsa, e: 'AQ' }],
    ['an alg that does not fit', { ...rsa, alg: 'ES256' }],
    ['an alg that is refused', { ...rsa, alg: 'RS1' }],
    ['no algorithm at all', { ...es256, alg: 'none' }],
    ['a key for encryption', { ...rsa, use: 'enc' }],
    ['a point off the curve', { ...es256, y: es256.kid + 'A'.repeat(41) }],
    ['a kid that is no string', { ...es256, kid: 7 }],
    ['nothing', {}],
  ])('refuses %s', (_, jwk) => {
    expect(codeOf(() => checkKeys([jwk]))).toBe('invalid-jwks');
  });

  it.each<[string, Jwk]>([
    ['for encryption', { ...rsa, kid: 'enc', alg: 'RSA-OAEP', use: 'enc' }],
    ['for encryption, of an algorithm that signs', { ...rsa, kid: 'enc', use: 'enc' }],
    ['of an algorithm that is refused', { ...rsa, kid: 'old', alg: 'RS1' }],
    ['of another curve', { ...k256, kid: 'other' }],
    ['for agreement', x25519],
  ])('leaves out a key %s, and keeps the others', (_, other) => {
    expect(checkKeys([other, es256])).toEqual([es256]);
    expect(codeOf(() => checkKeys([other]))).toBe('invalid-jwks');
  });

  it.each<[string, Jwk]>([
    ['a private key', { ...jwkOf(ec.privateKey), use: 'enc' }],
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }],
    ['a short RSA key', shortRsa],
    ['a malformed key', { ...es256, kid: 'broken', y: 'AAAA' }],
  ])('refuses the whole set for %s beside good keys', (_, bad) => {
    expect(codeOf(() => checkKeys([es256, bad]))).toBe('invalid-jwks');
  });

  it('says of a set without a usable key why the first one is not', () => {
    expect(() => checkKeys([{ ...rsa, alg: 'RSA-OAEP', use: 'enc' }])).toThrow(
      /none of the keys can verify a signature; key 0 is not for signatures/,
    );
  });

  it('refuses two keys of one kid, and more than 32', () => {
    expect(codeOf(() => checkKeys([es256, { ...ed25519, kid: 'ec' }]))).toBe('invalid-jwks');
    expect(codeOf(() => checkKeys(Array.from({ length: 33 }, (_, at) => ({ ...es256, kid: `k${at}` }))))).toBe(
      'invalid-jwks',
    );
  });
});
