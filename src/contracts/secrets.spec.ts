import { describe, expect, it } from '@jest/globals';
import { holdsSecret } from './index.js';

const encode = (text: string): string => Buffer.from(text).toString('base64url');
const compact = (header: string, payload: string, signature = 'c2lnbmF0dXJl'): string =>
  `${encode(header)}.${payload === '' ? '' : encode(payload)}.${signature}`;
const JWS = compact('{"alg":"ES256","typ":"at+jwt"}', '{"sub":"alice"}');
const OWN_SECRET = `rsk_${'aZ09_-'.repeat(7)}x`;
const OPAQUE = 'mF_9.B5f-4.1JqM8kPz2';

describe('holdsSecret', () => {
  it.each<[string, string]>([
    ['a compact JWS', JWS],
    ['one between other words', `revoked ${JWS}, seen in a log`],
    ['one without its signature', JWS.slice(0, JWS.lastIndexOf('.') + 1)],
    ['one whose parts begin with white space', compact('{ "alg":"ES256"}', '\n{"sub":"alice"}')],
    ['one whose payload is detached', compact('{"alg":"ES256"}', '')],
    ['a compact JWE', `${encode('{"alg":"RSA-OAEP","enc":"A256GCM"}')}.a2V5.aXY.Y2lwaGVy.dGFn`],
    ['a secret of Rescind', OWN_SECRET],
    ['one glued to a word', `secret=${OWN_SECRET}.`],
    ['an opaque token in a query', `/files?limit=5&access_token=${OPAQUE}`],
    ['one in a fragment', `/callback#access_token=${OPAQUE}&token_type=bearer`],
    ['one with its name in capitals', `/files?ACCESS_TOKEN=${OPAQUE}`],
    ['one percent-encoded', `/files?access_token=${OPAQUE.replaceAll('.', '%2E')}`],
    ['a refresh token in a form', `grant_type=refresh_token&refresh_token=${OPAQUE}`],
    ['a client secret in a form', `client_id=wiki&client_secret=${OPAQUE}`],
  ])('is true of %s', (_name, text) => {
    expect(holdsSecret(text)).toBe(true);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['a sentence', 'left the company; see ticket 4711 (https://tickets.example/4711)'],
    ['a host name', 'api.files.eu-central-1.example.com'],
    ['a version', 'release 12.11.10-rc.1+build.20261130'],
    ['a digest', '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'],
    ['a name that begins like a secret', 'rsk_level, rsk_high'],
    ['a parameter that was masked', '/files?access_token=REDACTED&limit=5'],
    ['a parameter without a value', '/files?access_token=&limit=5'],
    ['a parameter of a template', '/files?access_token={access_token_of_the_caller}'],
    ['a kind of token', 'token_type_hint=refresh_token'],
    ['a page token', '/files?page=CAUQAA.cursor-of-a-page-12345'],
  ])('is false of %s', (_name, text) => {
    expect(holdsSecret(text)).toBe(false);
  });

  it('looks at a long text in linear time', () => {
    const hostile = [
      'eyJ'.repeat(20_000),
      'a.'.repeat(30_000),
      'rsk_'.repeat(15_000),
      'access_token='.repeat(5_000),
      `${'e'.repeat(60_000)}.x.y`,
    ];
    for (const text of hostile) expect(holdsSecret(text)).toBe(text.startsWith('rsk_'));
  });
});
