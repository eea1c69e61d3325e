import { describe, expect, it } from '@jest/globals';
import { constants, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import {
  digestOf,
  makeKey,
  mirrorSignature,
  respellPadding,
  signJwt,
  type Algorithm,
} from '../../../test/conformance/signing.js';
import { isTyp, parseCompactJws, sha256, spellings, verifySignature } from './jws.js';

const ALGORITHMS: readonly Algorithm[] = ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'];
const keys = new Map(ALGORITHMS.map((alg) => [alg, makeKey(alg, alg)]));
const publicKey = (alg: Algorithm) => createPublicKey({ key: keys.get(alg)!.jwk as never, format: 'jwk' });

describe('parseCompactJws', () => {
  const jwt = signJwt(keys.get('ES256')!, { sub: 'u' });
  const [header, payload, signature] = jwt.split('.') as [string, string, string];
  const encode = (text: string | Buffer): string => Buffer.from(text).toString('base64url');

  it('takes a JWT apart', () => {
    expect(parseCompactJws(jwt)).toMatchObject({
      header: { alg: 'ES256' },
      claims: { sub: 'u' },
      signingInput: `${header}.${payload}`,
    });
  });

  it.each([
    ['two parts', `${header}.${payload}`],
    ['four parts', `${jwt}.x`],
    ['five parts, as a JWE', 'a.b.c.d.e'],
    ['an empty part', `${header}.${payload}.`],
    ['an empty header', `.${payload}.${signature}`],
    ['padding', `${header}.${payload}.${signature}==`],
    ['another alphabet', `${header}.${payload}.+/+/`],
    ['white space', `${header}.${payload}.${signature}\n`],
    ['a length that base64url has not', `${header}.${payload}.AAAAA`],
    ['a header that is no object', `${encode('[]')}.${payload}.${signature}`],
    ['a payload that is no JSON', `${header}.${encode('x')}.${signature}`],
    ['a payload that is no object', `${header}.${encode('"x"')}.${signature}`],
    ['a payload that is no UTF-8', `${header}.${encode(Buffer.from([0x7b, 0xff, 0x7d]))}.${signature}`],
    ['dots alone', '..'],
    ['nothing', ''],
  ])('sees no JWT in %s', (_, text) => {
    expect(parseCompactJws(text)).toBeUndefined();
  });
});

describe('verifySignature', () => {
  const cases = ALGORITHMS.flatMap((alg) => ALGORITHMS.map((keyAlg) => [alg, keyAlg] as const));

  it.each(cases)('%s by a key for %s', async (alg, keyAlg) => {
    const jws = parseCompactJws(signJwt(keys.get(alg)!, { sub: 'u' }))!;
    expect(await verifySignature(alg, publicKey(keyAlg), jws)).toBe(alg === keyAlg);
  });

  it.each(ALGORITHMS)('%s: refuses a changed byte', async (alg) => {
    const jws = parseCompactJws(signJwt(keys.get(alg)!, { sub: 'u' }))!;
    const signature = Buffer.from(jws.signature);
    signature[5]! ^= 1;
    expect(await verifySignature(alg, publicKey(alg), { ...jws, signature })).toBe(false);
    expect(await verifySignature(alg, publicKey(alg), { ...jws, signingInput: `${jws.signingInput}A` })).toBe(false);
    expect(await verifySignature(alg, publicKey(alg), { ...jws, signature: Buffer.alloc(0) })).toBe(false);
  });

  it.each(['none', 'HS256', 'ES256K', 'toString', '__proto__', ''])('knows no algorithm %s', async (alg) => {
    expect(await verifySignature(alg, publicKey('RS256'), parseCompactJws(signJwt(keys.get('RS256')!, {}))!)).toBe(
      false,
    );
  });

  it('takes of one RSA key the signatures of the algorithm alone, with its digest, padding and salt', async () => {
    const rsa = keys.get('RS256')!;
    const algorithms: readonly Algorithm[] = ['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'];
    for (const signed of algorithms) {
      const jws = parseCompactJws(signJwt({ ...rsa, alg: signed }, { sub: 'u' }))!;
      for (const alg of algorithms)
        expect([signed, alg, await verifySignature(alg, publicKey('RS256'), jws)]).toEqual([
          signed,
          alg,
          alg === signed,
        ]);
    }
  });

  it.each<[number, boolean]>([
    [1_024, false],
    [2_040, false],
    [2_048, true],
  ])('RS256 by a key of %i bits: %p', async (bits, good) => {
    const { privateKey, publicKey: rsa } = generateKeyPairSync('rsa', { modulusLength: bits });
    const signature = sign('sha256', Buffer.from('a.b'), privateKey);
    expect(await verifySignature('RS256', rsa, { header: {}, claims: {}, signingInput: 'a.b', signature })).toBe(good);
  });

  it('PS256 by a key that is for RSASSA-PSS alone: no JWK says it', async () => {
    const pair = generateKeyPairSync('rsa-pss', {
      modulusLength: 2_048,
      hashAlgorithm: 'sha256',
      mgf1HashAlgorithm: 'sha256',
    });
    const signature = sign('sha256', Buffer.from('a.b'), {
      key: pair.privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: 32,
    });
    expect(
      await verifySignature('PS256', pair.publicKey, { header: {}, claims: {}, signingInput: 'a.b', signature }),
    ).toBe(false);
  });

  it('PS256: salt of as many bytes as the digest alone (RFC 7518, section 3.5)', async () => {
    const { privateKey, publicKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const signed = (saltLength: number) =>
      sign('sha256', Buffer.from('a.b'), { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
    const check = (saltLength: number) =>
      verifySignature('PS256', rsa, { header: {}, claims: {}, signingInput: 'a.b', signature: signed(saltLength) });
    expect([await check(31), await check(32), await check(33)]).toEqual([false, true, false]);
  });

  it('ES256 by a key of another curve', async () => {
    const { privateKey, publicKey: p384 } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const signature = sign('sha256', Buffer.from('a.b'), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    expect(await verifySignature('ES256', p384, { header: {}, claims: {}, signingInput: 'a.b', signature })).toBe(
      false,
    );
  });

  it('takes ES256 signatures as RFC 7518 writes them, not as DER', async () => {
    let jws = parseCompactJws(signJwt(keys.get('ES256')!, {}))!;
    // Both halves are positive numbers as they stand, so that this is their DER.
    for (
      let nth = 0;
      jws.signature[0]! >= 0x80 || jws.signature[32]! >= 0x80 || jws.signature[0] === 0 || jws.signature[32] === 0;
      nth++
    )
      jws = parseCompactJws(signJwt(keys.get('ES256')!, { nth }))!;
    const der = Buffer.concat([
      Buffer.from([0x30, 0x44, 0x02, 0x20]),
      jws.signature.subarray(0, 32),
      Buffer.from([0x02, 0x20]),
      jws.signature.subarray(32),
    ]);
    expect(await verifySignature('ES256', publicKey('ES256'), { ...jws, signature: der })).toBe(false);
  });
});

describe('spellings', () => {
  it('has every text of an ES256 token that verifies, from any of them', () => {
    const jwt = signJwt(keys.get('ES256')!, { sub: 'u' });
    const all = [jwt, mirrorSignature(jwt)].sort();
    for (const text of [jwt, mirrorSignature(jwt), respellPadding(jwt)])
      expect(spellings(parseCompactJws(text)!).toSorted()).toEqual(all);
  });

  it.each(['ES256', 'ES384', 'ES512'] as const)('%s: has the two texts that verify, from either', async (alg) => {
    const all = spellings(parseCompactJws(signJwt(keys.get(alg)!, { sub: 'u' }))!);
    expect(new Set(all).size).toBe(2);
    for (const text of all) {
      const jws = parseCompactJws(text)!;
      expect(await verifySignature(alg, publicKey(alg), jws)).toBe(true);
      expect(spellings(jws).toSorted()).toEqual(all.toSorted());
    }
  });

  it('has the twin at full length where its second half begins with zeros', () => {
    // n − 5 for s: its twin is 5.
    const s = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254c';
    const jws = {
      header: { alg: 'ES256' },
      claims: {},
      signingInput: 'a.b',
      signature: Buffer.concat([Buffer.alloc(32, 1), Buffer.from(s, 'hex')]),
    };
    const twin = Buffer.concat([Buffer.alloc(32, 1), Buffer.alloc(31), Buffer.from([5])]);
    expect(spellings(jws)).toEqual([`a.b.${jws.signature.toString('base64url')}`, `a.b.${twin.toString('base64url')}`]);
  });

  it('has one of a signature that no ES256 key made, for its length', () => {
    const jws = { header: { alg: 'ES256' }, claims: {}, signingInput: 'a.b', signature: Buffer.alloc(65, 1) };
    expect(spellings(jws)).toEqual([`a.b.${jws.signature.toString('base64url')}`]);
  });

  it('has one of an EdDSA token', () => {
    const jwt = signJwt(keys.get('EdDSA')!, { sub: 'u' });
    expect(spellings(parseCompactJws(respellPadding(jwt))!)).toEqual([jwt]);
  });
});

it('hashes as RFC 6234 says, in base64url', () => {
  expect(sha256('abc')).toBe(digestOf('abc'));
});

it.each<[unknown, string, boolean]>([
  ['at+jwt', 'at+jwt', true],
  ['AT+JWT', 'at+jwt', true],
  ['application/at+jwt', 'at+jwt', true],
  ['at+jwt', 'application/at+jwt', true],
  ['Application/At+Jwt', 'at+jwt', true],
  ['application/application/at+jwt', 'at+jwt', false],
  ['text/at+jwt', 'at+jwt', false],
  ['JWT', 'at+jwt', false],
  [undefined, 'at+jwt', false],
  [['at+jwt'], 'at+jwt', false],
])('typ %p is %s: %p (RFC 7515, section 4.1.9)', (typ, expected, is) => {
  expect(isTyp(typ, expected)).toBe(is);
});
