import { describe, expect, it } from '@jest/globals';
import { createControlState, type CallerRecord, type ControlRecord, type Seq } from '../../control/index.js';
import { createAuthenticator, type Credentials } from './authenticator.js';
import { oauthRefusal } from './oauth-refusal.js';
import { generateSecret, secretDigest } from './secrets.js';

const NOW_S = 1_790_000_000;
const TENANT = '0b0e7a52-6c1d-4a51-9a0f-2f8f3c6f0001';

function given(...callers: CallerRecord[]) {
  const state = createControlState();
  callers.forEach((body, at) =>
    state.apply({
      kind: 'caller.changed',
      tenant: TENANT,
      subject: body.id,
      body,
      seq: BigInt(at + 1) as Seq,
      version: 1,
      at: NOW_S * 1000,
    } satisfies ControlRecord),
  );
  let nowMs = NOW_S * 1000;
  const authenticate = createAuthenticator({ state: () => state, now: () => nowMs });
  return { authenticate, passMs: (ms: number) => (nowMs += ms) };
}

const caller = (id: string, secret: string, more: Partial<CallerRecord> = {}, expiresAt?: number): CallerRecord => ({
  id,
  roles: { audit: {} },
  secrets: [
    {
      id: 's1',
      sha256: secretDigest(secret),
      created_at: NOW_S - 10,
      ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
    },
  ],
  disabled: false,
  ...more,
});

const basic = (id: string, secret: string): string => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
const from = (more: Partial<Credentials>): Credentials => ({
  authorization: undefined,
  remoteAddress: '192.0.2.1',
  ...more,
});
const form = (members: Record<string, string>) => new Map(Object.entries(members));

describe('the authenticator', () => {
  const secret = generateSecret();

  it.each([
    ['the secret as a bearer key', { authorization: `Bearer ${secret}` }],
    ['a scheme in other case', { authorization: `bEARER ${secret}` }],
    ['client_secret_basic', { authorization: basic('crm', secret) }],
    [
      'client_secret_basic, form-encoded (RFC 6749, 2.3.1)',
      { authorization: basic('%63rm', secret.replace('_', '%5F')) },
    ],
    ['client_secret_post', { form: form({ client_id: 'crm', client_secret: secret }) }],
    [
      'client_secret_basic with the same client_id in the form',
      { authorization: basic('crm', secret), form: form({ client_id: 'crm' }) },
    ],
  ])('accepts %s', (_, credentials) => {
    const { authenticate } = given(caller('crm', secret));
    expect(authenticate(from(credentials)).caller?.id).toBe('crm');
  });

  it.each([
    ['nothing', {}],
    ['another secret', { authorization: `Bearer ${generateSecret()}` }],
    ['an empty bearer key', { authorization: 'Bearer' }],
    ['a wrong secret with the right id', { authorization: basic('crm', generateSecret()) }],
    ['the right secret with a wrong id', { authorization: basic('other', secret) }],
    ['an unknown id with the empty secret', { authorization: basic('other', '') }],
    ['Basic without a colon', { authorization: `Basic ${Buffer.from('crm').toString('base64')}` }],
    ['Basic with a broken escape', { authorization: basic('crm%', secret) }],
    ['another scheme', { authorization: `DPoP ${secret}` }],
    ['a form id without a secret', { form: form({ client_id: 'crm' }) }],
    ['a form secret without an id', { form: form({ client_secret: secret }) }],
    [
      'Basic with another client_id in the form',
      { authorization: basic('crm', secret), form: form({ client_id: 'other' }) },
    ],
    ['the digest of the secret', { authorization: `Bearer ${secretDigest(secret)}` }],
  ])('refuses %s', (_, credentials) => {
    const { authenticate } = given(caller('crm', secret));
    const { caller: found, refusal } = authenticate(from(credentials));
    expect(found).toBeUndefined();
    expect(refusal?.code).toBe('unauthenticated');
    expect(JSON.stringify(refusal)).not.toContain(secret);
  });

  it('refuses two ways at once (RFC 6749, 2.3)', () => {
    const { authenticate } = given(caller('crm', secret));
    const both = authenticate(
      from({ authorization: basic('crm', secret), form: form({ client_id: 'crm', client_secret: secret }) }),
    );
    expect(both.refusal?.code).toBe('invalid-request');
    expect(oauthRefusal(both.refusal!)).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  it('refuses an expired secret from its second on, and a disabled caller', () => {
    const expiring = given(caller('crm', secret, {}, NOW_S + 1));
    expect(expiring.authenticate(from({ authorization: `Bearer ${secret}` })).caller).toBeDefined();
    expiring.passMs(1_000);
    expect(expiring.authenticate(from({ authorization: `Bearer ${secret}` })).caller).toBeUndefined();
    expect(expiring.authenticate(from({ authorization: basic('crm', secret) })).caller).toBeUndefined();

    const disabled = given(caller('crm', secret, { disabled: true }));
    expect(disabled.authenticate(from({ authorization: `Bearer ${secret}` })).caller).toBeUndefined();
    expect(disabled.authenticate(from({ authorization: basic('crm', secret) })).caller).toBeUndefined();
  });

  it('accepts both secrets of a rotation', () => {
    const other = generateSecret();
    const both = caller('crm', secret);
    const { authenticate } = given({
      ...both,
      secrets: [...both.secrets, { id: 's2', sha256: secretDigest(other), created_at: NOW_S }],
    });
    for (const one of [secret, other])
      expect(authenticate(from({ authorization: basic('crm', one) })).caller?.id).toBe('crm');
  });

  it('throttles failures of an address, never a right secret', () => {
    const { authenticate, passMs } = given(caller('crm', secret));
    const fail = (remoteAddress: string) => authenticate({ authorization: 'Bearer wrong', remoteAddress }).refusal;
    for (let at = 0; at < 20; at++) expect(fail('2001:db8:0:1::7')?.code).toBe('unauthenticated');
    const throttled = fail('2001:db8::1:0:0:0:9');
    expect(throttled).toMatchObject({ code: 'too-many-requests', retryAfterS: 1 });
    expect(oauthRefusal(throttled!)).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    expect(authenticate({ authorization: `Bearer ${secret}`, remoteAddress: '2001:db8:0:1::7' }).caller).toBeDefined();
    expect(fail('2001:db8:0:2::7')?.code).toBe('unauthenticated');
    passMs(1_000);
    expect(fail('2001:db8:0:1::7')?.code).toBe('unauthenticated');
    expect(fail('2001:db8:0:1::7')?.code).toBe('too-many-requests');
  });

  it('does not save up failures over a quiet night', () => {
    const { authenticate, passMs } = given(caller('crm', secret));
    const fail = () => authenticate(from({ authorization: 'Bearer wrong' })).refusal?.code;
    expect(fail()).toBe('unauthenticated');
    passMs(8 * 3_600_000);
    const codes = Array.from({ length: 21 }, fail);
    expect([codes.slice(0, 20), codes[20]]).toEqual([
      Array.from({ length: 20 }, () => 'unauthenticated'),
      'too-many-requests',
    ]);
  });

  it('names the scheme that was tried in the challenge (RFC 6749, 5.2)', () => {
    const { authenticate } = given();
    const challenge = (credentials: Partial<Credentials>) => oauthRefusal(authenticate(from(credentials)).refusal!);
    expect(challenge({ authorization: basic('a', 'b') })).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
    expect(challenge({ authorization: basic('a', 'b') }).headers['www-authenticate']).toMatch(/^Basic /);
    expect(challenge({ authorization: 'Bearer x' })).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    expect(challenge({ authorization: 'Bearer x' }).headers['www-authenticate']).toMatch(
      /^Bearer .*error="invalid_token"/,
    );
  });
});
