import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { compactVerify, importJWK } from 'jose';
import { makeProducerKey } from '../../test/support/signed.js';
import { readSignedBatch } from '../contracts/index.js';
import { buildEvent } from './build-event.js';
import { createSigner, type SignerOptions } from './signer.js';

const SOURCE = 'https://idp.example/events';
const AUDIENCE = 'urn:rescind:0b7f8e4e-6c1c-4b7e-9b1e-000000000001';

const ended = (sid: string, over: object = {}) =>
  buildEvent('session.ended', {
    source: SOURCE,
    id: `e-${sid}`,
    time: '2026-11-30T10:00:00.123Z',
    data: { iss: 'https://idp.example', sid, sub: 'u1' },
    ...over,
  });

describe('a signer', () => {
  it.each(['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'])('signs by %s what jose verifies', async (alg) => {
    const { privateJwk, publicJwk } = await makeProducerKey('k-1', alg);
    const sut = createSigner({ source: SOURCE, audience: AUDIENCE, jwk: privateJwk });
    const key = await importJWK(publicJwk, alg);

    const set = await compactVerify(await sut.signEvent(ended('s1', { subject: 'desk' })), key);
    expect(set.protectedHeader).toEqual({ alg, kid: 'k-1', typ: 'secevent+jwt' });
    expect(JSON.parse(Buffer.from(set.payload).toString())).toEqual({
      iss: SOURCE,
      aud: AUDIENCE,
      iat: expect.any(Number),
      jti: 'e-s1',
      toe: 1_796_032_800.123,
      sub_id: { format: 'opaque', id: 'desk' },
      events: {
        'https://rescind.dev/schemas/dev.rescind.session.ended.v1.json': {
          iss: 'https://idp.example',
          sid: 's1',
          sub: 'u1',
        },
      },
    });

    const texts = [ended('s2'), ended('s3')].map((event) => JSON.stringify(event));
    const { manifest, elements } = readSignedBatch(await sut.signBatch(texts))!;
    expect(elements.map(({ bytes }) => bytes.toString())).toEqual(texts);
    expect(elements[0]!.salt.equals(elements[1]!.salt)).toBe(false);
    const verified = await compactVerify(manifest, key);
    expect(verified.protectedHeader).toEqual({ alg, kid: 'k-1', typ: 'rescind-batch+jwt' });
    expect(JSON.parse(Buffer.from(verified.payload).toString())).toMatchObject({ iss: SOURCE, aud: AUDIENCE });
  });

  it('takes the algorithm of a curve where the key names none', async () => {
    const { alg: _alg, ...jwk } = (await makeProducerKey('k-1', 'ES256')).privateJwk;
    await expect(createSigner({ source: SOURCE, audience: AUDIENCE, jwk }).signEvent(ended('s1'))).resolves.toMatch(
      /^ey/,
    );
  });

  it.each<[string, (options: SignerOptions) => Partial<SignerOptions>]>([
    ['a public key', ({ jwk }) => ({ jwk: { ...jwk, d: undefined } })],
    ['a key without `kid`', ({ jwk }) => ({ jwk: { ...jwk, kid: undefined } })],
    ['an algorithm of another key', ({ jwk }) => ({ jwk: { ...jwk, alg: 'RS256' } })],
    ['`alg` none', ({ jwk }) => ({ jwk: { ...jwk, alg: 'none' } })],
    [
      'an RSA key without `alg`',
      () => ({
        jwk: { ...generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ format: 'jwk' }), kid: 'r' },
      }),
    ],
    [
      'an RSA key that is too short',
      () => ({
        jwk: {
          ...generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey.export({ format: 'jwk' }),
          kid: 'r',
          alg: 'RS256',
        },
      }),
    ],
    ['no audience', () => ({ audience: '' })],
  ])('refuses %s, and says nothing of the key', async (_, over) => {
    const jwk = (await makeProducerKey('k-1', 'ES256')).privateJwk as SignerOptions['jwk'];
    const options = { source: SOURCE, audience: AUDIENCE, jwk };
    const refused = { ...options, ...over(options) };
    expect(() => createSigner(refused)).toThrow(TypeError);
    expect(() => createSigner(refused)).not.toThrow(String(refused.jwk['d']));
  });

  it('refuses an event of another source, and one that is too large once it is signed', async () => {
    const jwk = (await makeProducerKey('k-1', 'EdDSA')).privateJwk as SignerOptions['jwk'];
    const sut = createSigner({ source: SOURCE, audience: AUDIENCE, jwk });
    await expect(sut.signEvent({ ...ended('s1'), source: 'urn:other' })).rejects.toThrow(TypeError);
    const large = { ...ended('s1'), data: { ...ended('s1').data, more: 'x'.repeat(200 * 1024) } };
    await expect(sut.signEvent(large)).rejects.toMatchObject({ code: 'too-large' });
  });
});
