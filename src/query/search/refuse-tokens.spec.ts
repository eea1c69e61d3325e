import { describe, expect, it } from '@jest/globals';
import type { RescindError } from '../../contracts/index.js';
import { refuseTokens } from './refuse-tokens.js';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const HEADER = part({ alg: 'ES256', typ: 'at+jwt' });
const PAYLOAD = part({ iss: 'https://auth.crm.example', jti: 't1', sub: 'alice' });
const SIGNATURE = 'c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4tdGhhdC1pcy1ub25lLWF0LWFsbA';
const JWT = `${HEADER}.${PAYLOAD}.${SIGNATURE}`;

describe('what looks like a token', () => {
  it.each([
    ['a JWT', { q: JWT }],
    ['within a sentence', { q: `what is ${JWT}?` }],
    ['with its scheme', { q: `Bearer ${JWT}` }],
    ['with spaces around', { q: `  ${JWT}\n` }],
    ['without a signature', { q: `${HEADER}.${PAYLOAD}.` }],
    ['cut off before the signature', { q: `${HEADER}.${PAYLOAD}` }],
    ['cut off within the payload', { q: `${HEADER}.${PAYLOAD.slice(0, 20)}` }],
    [
      'encrypted',
      {
        q: `${part({ alg: 'dir', enc: 'A256GCM' })}..${SIGNATURE.slice(0, 16)}.${SIGNATURE}.${SIGNATURE.slice(0, 22)}`,
      },
    ],
    [
      'with another spelling of its header',
      { q: `${Buffer.from('{ "alg" : "none" }').toString('base64url')}.${PAYLOAD}.` },
    ],
    ['said twice', { q: ['alice', JWT] }],
    ['under a misspelt name', { query: JWT }],
    ['as a name', { [JWT]: '' }],
    ['as jti', { iss: 'https://auth.crm.example', jti: JWT }],
    ['as a key of Rescind', { q: `rsk_${SIGNATURE}` }],
    ['as a member of JSON', { q: `{"access_token":"${SIGNATURE}"}` }],
  ])('%s is refused, and not repeated', (_, query) => {
    let refused: RescindError | undefined;
    try {
      refuseTokens(query);
    } catch (error) {
      refused = error as RescindError;
    }
    expect(refused?.code).toBe('token-in-request');
    const said = JSON.stringify([refused!.message, refused!.detail, refused!.extensions, refused!.cause]);
    for (const secret of [HEADER, PAYLOAD.slice(0, 20), SIGNATURE]) expect(said).not.toContain(secret);
  });

  it.each([
    'alice',
    'alice@acme.example',
    'https://crm.example/api/v1.2/contacts.json?x=1',
    'assistant-at-crm',
    'eyeglasses.example.com',
    'eyJ',
    '203.0.113.7',
    'urn:ietf:params:oauth:token-type:id-jag',
    'UQVL3zUoxzK2Z9UyN7V8sQ',
    '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
    '/contacts/{id}',
    'agent.one.two.three',
  ])('%s is none', (q) => expect(() => refuseTokens({ q })).not.toThrow());
});
