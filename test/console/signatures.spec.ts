import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import { makeProducerKey, sign } from '../support/signed.js';
import { verifyJws as verifyInBrowser } from '../../src/console/pages/verify/verify-jws.js';
import type { VerifyJws } from '../../src/merkle/index.js';
import { verifyJws } from '../../src/cli/evidence/verify-jws.js';

const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'];
type Jws = Parameters<VerifyJws>[0];

async function signed(alg: string): Promise<Jws> {
  const key = await makeProducerKey('k', alg);
  const [header, claims, signature] = (await sign(key, 'secevent+jwt', { iss: 'https://x.example' })).split('.');
  return {
    alg,
    jwk: { ...key.publicJwk },
    signingInput: `${header}.${claims}`,
    signature: Buffer.from(signature!, 'base64url'),
  };
}

/** The given one, which is good, and others that are not. */
function variants(jws: Jws): Jws[] {
  const { alg: _, ...unnamed } = jws.jwk;
  const flipped = (at: number): Buffer => {
    const copy = Buffer.from(jws.signature);
    copy[at]! ^= 1;
    return copy;
  };
  return [
    jws,
    { ...jws, jwk: unnamed },
    ...[0, 20, jws.signature.length - 1].map((at) => ({ ...jws, signature: flipped(at) })),
    { ...jws, signature: Buffer.alloc(0) },
    { ...jws, signature: Buffer.concat([jws.signature, Buffer.alloc(1)]) },
    { ...jws, signingInput: `${jws.signingInput.slice(0, -2)}AA` },
    { ...jws, jwk: {} },
    ...[...ALGORITHMS, 'none', 'HS256', ''].filter((alg) => alg !== jws.alg).map((alg) => ({ ...jws, alg })),
    ...[...ALGORITHMS, 'none', 'HS256', '']
      .filter((alg) => alg !== jws.alg)
      .map((alg) => ({ ...jws, jwk: unnamed, alg })),
  ];
}

describe("a source's signature", () => {
  it.each(ALGORITHMS)('by %s is good in the browser where the service says so, and nowhere else', async (alg) => {
    const given = variants(await signed(alg));
    const verdicts = await Promise.all(given.map((one) => verifyInBrowser(one)));
    expect(verdicts).toEqual(given.map((one) => verifyJws(one)));
    expect(verdicts.filter((isGood) => isGood)).toHaveLength(2);
  });

  it('is not checked where the page has no cryptography', async () => {
    const jws = await signed('ES256');
    const { subtle } = globalThis.crypto;
    Object.defineProperty(globalThis.crypto, 'subtle', { value: undefined, configurable: true });
    try {
      expect(await verifyInBrowser(jws)).toBeUndefined();
    } finally {
      Object.defineProperty(globalThis.crypto, 'subtle', { value: subtle, configurable: true });
    }
    expect(await verifyInBrowser(jws)).toBe(true);
  });
});
