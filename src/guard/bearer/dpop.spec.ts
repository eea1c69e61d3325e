import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { createProofVerifier, type DpopOptions, type ProofVerifier } from './dpop.js';

const PUBLIC_URL = 'https://api.example';
const [MAX_AGE_S, SKEW_S] = [60, 5];
const NOW_S = 1_900_000_000;
const TOKEN = 'at';

let privateKey: CryptoKey;
let jwk: JWK;
let jkt: string;
beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  privateKey = pair.privateKey;
  jwk = await exportJWK(pair.publicKey);
  jkt = await calculateJwkThumbprint(jwk);
});

const signed = (iat: number, jti: string, more: object = {}): Promise<string> =>
  new SignJWT({
    htm: 'GET',
    htu: `${PUBLIC_URL}/`,
    jti,
    ath: createHash('sha256').update(TOKEN).digest('base64url'),
    ...more,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
    .setIssuedAt(iat)
    .sign(privateKey);

/** Starts a verifier whose clock stands at `nowMs`. */
function started(): { ask(proof: string): ReturnType<ProofVerifier['verify']>; nowMs: number } {
  const given = {
    nowMs: NOW_S * 1000,
    ask: (proof: string) => verifier.verify({ proof, token: TOKEN, jkt, method: 'GET', url: '/' }),
  };
  const verifier = createProofVerifier({
    publicUrl: PUBLIC_URL,
    maxAgeS: MAX_AGE_S,
    skewS: SKEW_S,
    now: () => given.nowMs,
  });
  return given;
}

describe('a proof', () => {
  it.each([
    ['as old as it may be', NOW_S - MAX_AGE_S - SKEW_S, true],
    ['a second older', NOW_S - MAX_AGE_S - SKEW_S - 1, false],
    ['as far ahead as it may be', NOW_S + SKEW_S, true],
    ['a second further ahead', NOW_S + SKEW_S + 1, false],
  ])('%s', async (_, iat, ok) => {
    expect((await started().ask(await signed(iat, 'one'))).ok).toBe(ok);
  });

  it('has a name of at most 512 characters', async () => {
    expect((await started().ask(await signed(NOW_S, 'j'.repeat(512)))).ok).toBe(true);
    expect(await started().ask(await signed(NOW_S, 'j'.repeat(513)))).toMatchObject({
      ok: false,
      why: 'the proof has no usable `jti`',
    });
  });

  it('has at most 8,192 characters', async () => {
    const MOST = 8_192;
    const padded = (characters: number): Promise<string> => signed(NOW_S, 'one', { padding: 'x'.repeat(characters) });
    // Four characters of base64url encode three bytes, so not every length occurs.
    let padding = Math.floor(((MOST - (await padded(0)).length) * 3) / 4) - 4;
    let [longest, next] = ['', await padded(padding)];
    while (next.length <= MOST) [longest, next] = [next, await padded(++padding)];
    expect(longest).toHaveLength(MOST);
    expect((await started().ask(longest)).ok).toBe(true);
    expect(await started().ask(next)).toMatchObject({ ok: false, why: 'the proof is too long' });
  });

  it('names its address as text, not as a list of one', async () => {
    expect(await started().ask(await signed(NOW_S, 'one', { htu: [`${PUBLIC_URL}/`] }))).toMatchObject({
      ok: false,
      why: 'the proof is for another address',
    });
  });

  it('from ahead is taken once, up to the last moment at which it could be taken again', async () => {
    const sut = started();
    const proof = await signed(NOW_S + SKEW_S, 'one');
    expect((await sut.ask(proof)).ok).toBe(true);
    for (const laterMs of [1, (MAX_AGE_S + 2 * SKEW_S) * 1000 - 1, (MAX_AGE_S + 2 * SKEW_S) * 1000]) {
      sut.nowMs = NOW_S * 1000 + laterMs;
      expect(await sut.ask(proof)).toMatchObject({ ok: false, why: 'the proof was used before' });
    }
  });
});

describe('settings of proofs', () => {
  it.each<[string, Partial<DpopOptions>]>([
    ['an address that is not http', { publicUrl: 'ftp://api.example' }],
    ['no algorithms', { algorithms: [] }],
    ['a symmetric one', { algorithms: ['ES256', 'HS256'] }],
    ['a skew below 0', { skewS: -1 }],
    ['a skew of part of a second', { skewS: 0.5 }],
    ['no age', { maxAgeS: 0 }],
    ['no proofs', { maxProofs: 0 }],
  ])('%s is refused', (_, options) => {
    expect(() => createProofVerifier({ publicUrl: PUBLIC_URL, ...options })).toThrow(TypeError);
  });

  it('no skew at all is one', () => {
    expect(() => createProofVerifier({ publicUrl: PUBLIC_URL, skewS: 0 })).not.toThrow();
  });
});
