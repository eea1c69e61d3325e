import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import type { Answer, TokenClaims } from '../answer.js';
import { createBearerVerifier, type PresentedRequest, type Verdict, type VerifierOptions } from './bearer-verifier.js';

const API = 'https://api.example';
const METADATA = 'https://api.example/.well-known/oauth-protected-resource';
const CLAIMS: TokenClaims = {
  iss: 'https://ras.example',
  sub: 'u',
  client_id: 'wiki',
  aud: API,
  scope: 'read write',
  exp: 2_000_000_000,
};
const active = (over: Partial<TokenClaims> = {}): Answer => ({ state: 'active', claims: { ...CLAIMS, ...over } });
const NOW = 1_900_000_000_000;
const CERTIFICATE = Buffer.from('a certificate');
const THUMBPRINT = createHash('sha256').update(CERTIFICATE).digest('base64url');

const answering = (answer: Answer): VerifierOptions['guard'] => ({ check: () => answer });
const sutFor = (answer: Answer, over: Partial<VerifierOptions> = {}) =>
  createBearerVerifier({ guard: answering(answer), audience: API, resourceMetadata: METADATA, ...over });
const bearer = (token = 'at-1'): PresentedRequest => ({
  authorization: `Bearer ${token}`,
  method: 'GET',
  url: '/things?x=1',
});

function challengeOf(verdict: Verdict): string | undefined {
  return verdict.allowed ? undefined : verdict.headers['www-authenticate'];
}

describe('a bearer token', () => {
  it('that is active, for this resource and with the scopes is let through, at once', () => {
    expect(sutFor(active()).verify(bearer(), ['read'])).toMatchObject({
      allowed: true,
      token: 'at-1',
      scopes: ['read', 'write'],
      claims: { sub: 'u' },
    });
  });

  it('whose answer is asked for is let through later', async () => {
    const later = createBearerVerifier({ guard: { check: async () => active() }, audience: API }).verify(bearer());
    expect(later).toBeInstanceOf(Promise);
    expect(await later).toMatchObject({ allowed: true });
  });

  it.each<[string, Partial<PresentedRequest>, Answer, readonly string[], number, string | undefined]>([
    [
      'no credentials: no error (RFC 6750, 3)',
      { authorization: undefined },
      active(),
      [],
      401,
      `Bearer resource_metadata="${METADATA}"`,
    ],
    [
      'no credentials: the scopes that are wanted',
      { authorization: undefined },
      active(),
      ['read'],
      401,
      `Bearer scope="read", resource_metadata="${METADATA}"`,
    ],
    [
      'another scheme is none',
      { authorization: 'Basic YTpi' },
      active(),
      [],
      401,
      `Bearer resource_metadata="${METADATA}"`,
    ],
    [
      'DPoP where it is not taken is none',
      { authorization: 'DPoP at-1' },
      active(),
      [],
      401,
      `Bearer resource_metadata="${METADATA}"`,
    ],
    [
      'no token',
      { authorization: 'Bearer' },
      active(),
      [],
      400,
      `Bearer error="invalid_request", error_description="the Authorization header is malformed", resource_metadata="${METADATA}"`,
    ],
    [
      'two tokens',
      { authorization: 'Bearer a b' },
      active(),
      [],
      400,
      `Bearer error="invalid_request", error_description="the Authorization header is malformed", resource_metadata="${METADATA}"`,
    ],
    [
      'a character that no token has',
      { authorization: 'Bearer a"b' },
      active(),
      [],
      400,
      `Bearer error="invalid_request", error_description="the Authorization header is malformed", resource_metadata="${METADATA}"`,
    ],
    [
      'inactive',
      {},
      { state: 'inactive' },
      [],
      401,
      `Bearer error="invalid_token", error_description="the token is not active", resource_metadata="${METADATA}"`,
    ],
    [
      'another audience',
      {},
      active({ aud: 'https://other.example' }),
      [],
      401,
      `Bearer error="invalid_token", error_description="the token is for another resource", resource_metadata="${METADATA}"`,
    ],
    [
      'an audience that begins alike',
      {},
      active({ aud: [`${API}/more`] }),
      [],
      401,
      `Bearer error="invalid_token", error_description="the token is for another resource", resource_metadata="${METADATA}"`,
    ],
    [
      'no audience',
      {},
      active({ aud: undefined }),
      [],
      401,
      `Bearer error="invalid_token", error_description="the token is for another resource", resource_metadata="${METADATA}"`,
    ],
    [
      'a scope that is missing',
      {},
      active(),
      ['read', 'admin'],
      403,
      `Bearer scope="read admin", error="insufficient_scope", error_description="the token lacks a scope", resource_metadata="${METADATA}"`,
    ],
    [
      'no scope at all',
      {},
      active({ scope: undefined }),
      ['read'],
      403,
      `Bearer scope="read", error="insufficient_scope", error_description="the token lacks a scope", resource_metadata="${METADATA}"`,
    ],
    ['nobody could tell', {}, { state: 'unavailable', retryAfter: 2 }, [], 503, undefined],
  ])('%s', async (_, request, answer, scopes, status, challenge) => {
    const verdict = await sutFor(answer).verify({ ...bearer(), ...request }, scopes);
    expect(verdict).toMatchObject({ allowed: false, status });
    expect(challengeOf(verdict)).toBe(challenge);
    if (!verdict.allowed) {
      expect(verdict.headers['cache-control']).toBe('no-store');
      expect(verdict.headers['retry-after']).toBe(status === 503 ? '2' : undefined);
    }
  });

  it.each<[string, unknown]>([
    ['a key, where no proof is taken', { jkt: 'x' }],
    ['something unknown', { kid: 'k' }],
    ['the certificate that is presented and something unknown', { 'x5t#S256': THUMBPRINT, other: 1 }],
    ['nothing', {}],
    ['a number', { jkt: 7 }],
    ['a text', 'x'],
    ['null', null],
  ])('bound to %s is refused', async (_, cnf) => {
    expect(
      await sutFor(active({ cnf: cnf as TokenClaims['cnf'] })).verify({ ...bearer(), certificate: () => CERTIFICATE }),
    ).toMatchObject({ allowed: false, status: 401, error: 'invalid_token' });
  });

  it('is taken by a scheme in any spelling', async () => {
    expect(await sutFor(active()).verify({ ...bearer(), authorization: 'bEaReR at-1' })).toMatchObject({
      allowed: true,
    });
  });

  it('the values of a challenge cannot leave their quotes', async () => {
    const verdict = await sutFor(active(), { realm: 'a"b\\c\r\nd' }).verify({ ...bearer(), authorization: undefined });
    expect(challengeOf(verdict)).toBe(`Bearer realm="a\\"b\\\\cd", resource_metadata="${METADATA}"`);
  });

  it('an audience that is not set is refused at the start', () => {
    expect(() => sutFor(active(), { audience: [] })).toThrow(TypeError);
    expect(() => sutFor(active(), { audience: '' })).toThrow(TypeError);
  });
});

describe('a token that is bound to a certificate (RFC 8705, 3)', () => {
  const bound = active({ cnf: { 'x5t#S256': THUMBPRINT } });

  it('is taken on a connection with that certificate alone', async () => {
    const sut = sutFor(bound);
    expect(await sut.verify({ ...bearer(), certificate: () => CERTIFICATE })).toMatchObject({ allowed: true });
    expect(await sut.verify({ ...bearer(), certificate: () => Buffer.from('another') })).toMatchObject({
      allowed: false,
      status: 401,
      error: 'invalid_token',
    });
    expect(await sut.verify({ ...bearer(), certificate: () => undefined })).toMatchObject({
      allowed: false,
      status: 401,
      error: 'invalid_token',
    });
    expect(await sut.verify(bearer())).toMatchObject({ allowed: false, status: 401, error: 'invalid_token' });
  });

  it('the certificate of a token that is not bound is not asked for', async () => {
    const certificate = (): never => {
      throw new Error('asked for');
    };
    expect(await sutFor(active()).verify({ ...bearer(), certificate })).toMatchObject({ allowed: true });
  });
});

describe('a token that is bound to a DPoP key (RFC 9449)', () => {
  interface Key {
    readonly privateKey: CryptoKey;
    readonly jwk: JWK;
    readonly jkt: string;
  }
  async function newKey(alg = 'ES256'): Promise<Key> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = await exportJWK(publicKey);
    return { privateKey, jwk, jkt: await calculateJwkThumbprint(jwk, 'sha256') };
  }
  const ath = (token: string): string => createHash('sha256').update(token).digest('base64url');
  let nth = 0;
  const claims = (over: Record<string, unknown> = {}): Record<string, unknown> => {
    const all = { jti: `proof-${nth++}`, htm: 'GET', htu: `${API}/things`, iat: NOW / 1000, ath: ath('at-1'), ...over };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  };
  const sign = (
    { privateKey, jwk }: Key,
    payload: Record<string, unknown>,
    header: Record<string, unknown> = {},
  ): Promise<string> =>
    new SignJWT(payload).setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header }).sign(privateKey);
  const sutWith = (key: Key, over: Partial<VerifierOptions['dpop']> = {}, more: Partial<TokenClaims> = {}) =>
    sutFor(active({ cnf: { jkt: key.jkt }, ...more }), {
      dpop: { publicUrl: API, now: () => NOW, ...over },
      resourceMetadata: undefined,
    });
  const presenting = (proof: string | undefined, over: Partial<PresentedRequest> = {}): PresentedRequest => ({
    authorization: 'DPoP at-1',
    dpop: proof,
    method: 'GET',
    url: '/things?x=1',
    ...over,
  });

  it('is taken with a proof of that key', async () => {
    const key = await newKey();
    expect(await sutWith(key).verify(presenting(await sign(key, claims())), ['read'])).toMatchObject({
      allowed: true,
      headers: {},
    });
  });

  it('is not taken as a plain bearer token, with or without the proof', async () => {
    const key = await newKey();
    const verdict = await sutWith(key).verify(presenting(await sign(key, claims()), { authorization: 'Bearer at-1' }));
    expect(verdict).toMatchObject({ allowed: false, status: 401, error: 'invalid_token' });
    expect(challengeOf(verdict)).toBe(
      'Bearer error="invalid_token", error_description="the token is bound to a key: use the scheme DPoP", DPoP algs="ES256 EdDSA Ed25519 PS256"',
    );
  });

  it('a token that is not bound is not taken by the scheme DPoP', async () => {
    const key = await newKey();
    expect(await sutWith(key, {}, { cnf: undefined }).verify(presenting(await sign(key, claims())))).toMatchObject({
      allowed: false,
      error: 'invalid_token',
    });
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['another method', { htm: 'POST' }, {}],
    ['a method in another case', { htm: 'get' }, {}],
    ['no method', { htm: undefined }, {}],
    ['another path', { htu: `${API}/others` }, {}],
    ['a longer path', { htu: `${API}/things/` }, {}],
    ['another host', { htu: 'https://evil.example/things' }, {}],
    ['another scheme', { htu: 'http://api.example/things' }, {}],
    ['no address', { htu: undefined }, {}],
    ['another token', { ath: ath('at-2') }, {}],
    ['no token', { ath: undefined }, {}],
    ['too old', { iat: NOW / 1000 - 66 }, {}],
    ['of the future', { iat: NOW / 1000 + 6 }, {}],
    ['no time', { iat: undefined }, {}],
    ['no identity', { jti: undefined }, {}],
    ['an empty identity', { jti: '' }, {}],
    ['an identity without end', { jti: 'j'.repeat(513) }, {}],
    ['another type', {}, { typ: 'JWT' }],
    ['no type', {}, { typ: undefined }],
    ['no key', {}, { jwk: undefined }],
  ])('a proof of %s is refused', async (_, over, header) => {
    const key = await newKey();
    const verdict = await sutWith(key).verify(presenting(await sign(key, claims(over), header)));
    expect(verdict).toMatchObject({ allowed: false, status: 401, error: 'invalid_dpop_proof' });
    expect(challengeOf(verdict)).toMatch(
      /^DPoP error="invalid_dpop_proof", error_description="[^"]+", algs="ES256 EdDSA Ed25519 PS256", Bearer$/,
    );
  });

  it.each<[string, string, string]>([
    ['a path that begins with two slashes, which names no host', '//things', `${API}/things`],
    ['a target that is no address', '//[', `${API}/things`],
    ['a target of another form', '*', `${API}/`],
  ])('a proof for another address than %s is refused', async (_, url, htu) => {
    const key = await newKey();
    expect(await sutWith(key).verify(presenting(await sign(key, claims({ htu })), { url }))).toMatchObject({
      allowed: false,
      error: 'invalid_dpop_proof',
    });
  });

  it.each<[string, string, string]>([
    ['a path that begins with two slashes', '//evil.example/things', `${API}//evil.example/things`],
    ['a target in absolute form', 'http://10.0.0.1:8080/things?x=1', `${API}/things`],
  ])('a proof for %s is taken', async (_, url, htu) => {
    const key = await newKey();
    expect(await sutWith(key).verify(presenting(await sign(key, claims({ htu })), { url }))).toMatchObject({
      allowed: true,
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['at the end of its time', { iat: NOW / 1000 - 65 }],
    ['a little ahead', { iat: NOW / 1000 + 5 }],
    ['of an address spelled otherwise', { htu: 'HTTPS://API.example:443/a/../%74hings#part' }],
    ['of an address with a query', { htu: `${API}/things?y=2` }],
    ['that says it has expired, which nobody asks', { exp: 1 }],
  ])('a proof %s is taken', async (_, over) => {
    const key = await newKey();
    expect(await sutWith(key).verify(presenting(await sign(key, claims(over))))).toMatchObject({ allowed: true });
  });

  it('a proof by another key than the token is bound to is refused, also one that shows the right key', async () => {
    const [key, thief] = [await newKey(), await newKey()];
    expect(await sutWith(key).verify(presenting(await sign(thief, claims())))).toMatchObject({
      allowed: false,
      error: 'invalid_token',
    });
    expect(await sutWith(key).verify(presenting(await sign({ ...thief, jwk: key.jwk }, claims())))).toMatchObject({
      allowed: false,
      error: 'invalid_dpop_proof',
    });
  });

  it.each([
    ['nothing', undefined],
    ['no JWT', 'x.y.z'],
    ['an unsigned JWT', `${Buffer.from('{"alg":"none","typ":"dpop+jwt"}').toString('base64url')}.e30.`],
    ['too much', 'x'.repeat(8_193)],
  ])('%s is no proof', async (_, proof) => {
    expect(await sutWith(await newKey()).verify(presenting(proof))).toMatchObject({
      allowed: false,
      status: 401,
      error: 'invalid_dpop_proof',
    });
  });

  it('a proof with the private key in it, or by an algorithm that is not listed, is refused', async () => {
    const key = await newKey();
    const secret = { ...key, jwk: await exportJWK(key.privateKey) };
    expect(await sutWith(key).verify(presenting(await sign(secret, claims())))).toMatchObject({
      allowed: false,
      error: 'invalid_dpop_proof',
    });
    expect(await sutWith(key, { algorithms: ['PS256'] }).verify(presenting(await sign(key, claims())))).toMatchObject({
      allowed: false,
      error: 'invalid_dpop_proof',
    });
  });

  it('a proof is taken once, and again only when it would be too old', async () => {
    const key = await newKey();
    let now = NOW;
    const sut = sutWith(key, { now: () => now });
    const proof = await sign(key, claims({ iat: NOW / 1000 + 5 }));
    expect(await sut.verify(presenting(proof))).toMatchObject({ allowed: true });
    expect(await sut.verify(presenting(proof))).toMatchObject({ allowed: false, error: 'invalid_dpop_proof' });
    now += 69_999;
    expect(await sut.verify(presenting(proof))).toMatchObject({ allowed: false, error: 'invalid_dpop_proof' });
    now += 2;
    expect(await sut.verify(presenting(proof))).toMatchObject({ allowed: false, error: 'invalid_dpop_proof' });
  });

  it('a refused proof is not used up', async () => {
    const key = await newKey();
    const sut = sutWith(key);
    const wrong = await sign(key, claims({ jti: 'same', htm: 'POST' }));
    expect(await sut.verify(presenting(wrong))).toMatchObject({ allowed: false });
    expect(await sut.verify(presenting(wrong, { method: 'POST' }))).toMatchObject({ allowed: true });
  });

  it('where no more proofs can be remembered none is taken; one key fills a quarter', async () => {
    const key = await newKey();
    const sut = sutWith(key, { maxProofs: 8 });
    for (let count = 0; count < 2; count++)
      expect(await sut.verify(presenting(await sign(key, claims())))).toMatchObject({ allowed: true });
    expect(await sut.verify(presenting(await sign(key, claims())))).toMatchObject({ allowed: false, status: 503 });
  });

  it('two proofs are one too many', async () => {
    const key = await newKey();
    const [one, two] = [await sign(key, claims()), await sign(key, claims())];
    for (const dpop of [`${one}, ${two}`, [one, two]]) {
      expect(await sutWith(key).verify(presenting(undefined, { dpop }))).toMatchObject({
        allowed: false,
        status: 400,
        error: 'invalid_request',
      });
    }
  });

  it('a scope that is missing is a challenge of the scheme that was used', async () => {
    const key = await newKey();
    const verdict = await sutWith(key).verify(presenting(await sign(key, claims())), ['admin']);
    expect(challengeOf(verdict)).toMatch(/^DPoP scope="admin", error="insufficient_scope"/);
  });

  it('no credentials: both schemes, without an error', async () => {
    const verdict = await sutWith(await newKey()).verify(presenting(undefined, { authorization: undefined }));
    expect(challengeOf(verdict)).toBe('Bearer, DPoP algs="ES256 EdDSA Ed25519 PS256"');
  });

  it('with nonces, a proof without one is told the nonce, one with it is taken, one with the last hears the next', async () => {
    const key = await newKey();
    let now = NOW;
    const sut = sutWith(key, { now: () => now, nonce: { secret: new Uint8Array(32), periodS: 60 } });
    const first = await sut.verify(presenting(await sign(key, claims())));
    expect(first).toMatchObject({ allowed: false, status: 401, error: 'use_dpop_nonce' });
    const nonce = first.headers['dpop-nonce']!;
    expect(challengeOf(first)).toMatch(/^DPoP error="use_dpop_nonce"/);
    expect(await sut.verify(presenting(await sign(key, claims({ nonce }))))).toMatchObject({
      allowed: true,
      headers: {},
    });
    now += 60_000;
    const later = await sut.verify(presenting(await sign(key, claims({ nonce, iat: now / 1000 }))));
    expect(later.allowed && later.headers['dpop-nonce']).toMatch(/^[\w-]{22}$/);
    now += 60_000;
    expect(await sut.verify(presenting(await sign(key, claims({ nonce, iat: now / 1000 }))))).toMatchObject({
      error: 'use_dpop_nonce',
    });
  });

  it('both bindings at once are both wanted', async () => {
    const key = await newKey();
    const der = Buffer.from('a certificate');
    const sut = sutWith(
      key,
      {},
      { cnf: { jkt: key.jkt, 'x5t#S256': createHash('sha256').update(der).digest('base64url') } },
    );
    expect(await sut.verify(presenting(await sign(key, claims())))).toMatchObject({
      allowed: false,
      error: 'invalid_token',
    });
    expect(await sut.verify(presenting(await sign(key, claims()), { certificate: () => der }))).toMatchObject({
      allowed: true,
    });
  });

  it.each<[string, Partial<NonNullable<VerifierOptions['dpop']>>]>([
    ['a shared secret as algorithm', { algorithms: ['HS256'] }],
    ['no algorithm', { algorithms: [] }],
    ['no age', { maxAgeS: 0 }],
    ['a short nonce secret', { nonce: { secret: new Uint8Array(16) } }],
    ['no http address', { publicUrl: 'ftp://api.example' }],
  ])('%s is refused at the start', (_, dpop) => {
    expect(() => sutFor(active(), { dpop: { publicUrl: API, ...dpop } })).toThrow(TypeError);
  });
});
