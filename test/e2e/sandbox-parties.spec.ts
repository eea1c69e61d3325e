import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { validateEventData } from '../../src/contracts/index.js';
import { createSigningKey } from '../../src/sandbox/index.js';
import { APP_SECRET, PASSWORD, startParties, type Parties } from './parties-fixture.js';

// The parties alone: what they check themselves, and what they say, with an endpoint in Rescind's place that answers as
// it is told. Rescind's own judgement is the subject of the other end-to-end specs.

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
const errorOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'no error';
  } catch (error) {
    return (error as { error?: string; code?: string }).error ?? String((error as { code?: string }).code);
  }
};

describe.each(['jwt', 'opaque'] as const)('parties with %s access tokens', (format) => {
  let parties: Parties;

  beforeAll(async () => {
    parties = await startParties(format);
  });
  afterAll(() => parties.stop());
  beforeEach(() => {
    parties.answerWith('active');
    parties.told.length = 0;
    parties.asked.length = 0;
  });

  it('refuses a wrong password with the form again', async () => {
    expect(await parties.signIn('alice', 'wrong')).toBe(401);
    expect(parties.client.isSignedIn('alice')).toBe(false);
  });

  it('sign in, exchange, redeem and call, and publish an event for each step', async () => {
    expect(await parties.signIn('alice', PASSWORD)).toBe(200);
    const idJag = await parties.client.exchange('alice', 'crm', 'crm.read crm.write');
    const token = await parties.client.redeem('crm', idJag);
    const response = await parties.client.call('crm', token.accessToken, 'GET', '/contacts/7');

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ id: '7' });
    expect(token.scope).toBe('crm.read');
    expect(parties.told.map(({ name }) => name)).toEqual(['id-jag.issued', 'token.issued', 'access.allowed']);
    for (const { name, data } of parties.told) expect(validateEventData(name, data)).toBeUndefined();

    const [issued, redeemed, called] = parties.told.map(({ data }) => data as Record<string, unknown>);
    expect(issued).toMatchObject({
      sub: 'alice',
      idp_client_id: 'atlas',
      client_id: 'atlas-at-crm',
      aud: [parties.app.issuer],
      resource: [parties.app.resource],
      scope: 'crm.read',
      sha256: sha256(idJag),
      agent: { id: 'atlas', type: 'ai_agent' },
      sid: expect.any(String),
      auth_time: expect.any(Number),
    });
    const { jti, sid, auth_time, act, agent, iat, exp } = issued as Record<string, unknown>;
    expect(redeemed).toMatchObject({
      iss: parties.app.issuer,
      sub: 'crm-1001',
      aud: [parties.app.resource],
      id_jag: {
        iss: parties.idp.issuer,
        jti,
        sid,
        auth_time,
        act,
        agent,
        iat,
        exp,
        sub: 'alice',
        sha256: sha256(idJag),
      },
    });
    expect(called).toMatchObject({
      operation: 'read',
      route: 'GET /contacts/{id}',
      path: '/contacts/7',
      status: 200,
      records: 1,
    });
    const identity =
      format === 'jwt' ? { iss: parties.app.issuer, jti: redeemed?.['jti'] } : { sha256: sha256(token.accessToken) };
    expect(called?.['token']).toEqual(identity);
  });

  it('asks about the ID-JAG before it issues and about the token on every call', async () => {
    const idJag = await parties.client.exchange('alice', 'crm');
    const { accessToken } = await parties.client.redeem('crm', idJag);
    await parties.client.call('crm', accessToken, 'GET', '/contacts');
    await parties.client.call('crm', accessToken, 'GET', '/contacts');

    expect(parties.asked.map(({ hint, token }) => [hint, token])).toEqual([
      ['urn:ietf:params:oauth:token-type:id-jag', idJag],
      ['access_token', accessToken],
      ['access_token', accessToken],
    ]);
    const expected =
      format === 'jwt' ? `Basic ${Buffer.from('crm:a+secret+%26+more').toString('base64')}` : 'Bearer bearer-key';
    expect(parties.asked[0]?.authorization).toBe(expected);
  });

  it('issues nothing for an ID-JAG that is not active, and denies a call with a token that is not', async () => {
    const { accessToken } = await parties.client.redeem('crm', await parties.client.exchange('alice', 'crm'));
    const idJag = await parties.client.exchange('alice', 'crm');
    parties.answerWith('inactive');
    parties.told.length = 0;

    expect(await errorOf(parties.client.redeem('crm', idJag))).toBe('invalid_grant');
    const response = await parties.client.call('crm', accessToken, 'GET', '/contacts');
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer realm="${parties.app.resource}", error="invalid_token"`,
    );
    expect(parties.told).toMatchObject([
      { name: 'token.denied', data: { error: 'invalid_grant', reason: 'revoked', id_jag: { sha256: sha256(idJag) } } },
      { name: 'access.denied', data: { status: 401, error: 'invalid_token' } },
    ]);
    for (const { name, data } of parties.told) expect(validateEventData(name, data)).toBeUndefined();
  });

  it('honours nothing while Rescind cannot decide, and lets the ID-JAG be redeemed afterwards', async () => {
    const { accessToken } = await parties.client.redeem('crm', await parties.client.exchange('alice', 'crm'));
    const idJag = await parties.client.exchange('alice', 'crm');
    parties.answerWith('unavailable');

    expect(await errorOf(parties.client.redeem('crm', idJag))).not.toBe('no error');
    expect((await parties.client.call('crm', accessToken, 'GET', '/contacts')).status).toBe(503);
    parties.answerWith('active');
    expect((await parties.client.redeem('crm', idJag)).scope).toBe('crm.read');
  });

  it('refuses an ID-JAG that was used, also when both come at once', async () => {
    const idJag = await parties.client.exchange('alice', 'crm');
    const outcomes = await Promise.all([1, 2].map(() => errorOf(parties.client.redeem('crm', idJag))));
    expect(outcomes.sort()).toEqual(['invalid_grant', 'no error']);
    expect(await errorOf(parties.client.redeem('crm', idJag))).toBe('invalid_grant');
    expect(parties.told.at(-1)).toMatchObject({ name: 'token.denied', data: { reason: 'replay' } });
  });

  it('challenges a call without a token, with one in the URL, and with too small a scope', async () => {
    const { accessToken } = await parties.client.redeem('crm', await parties.client.exchange('alice', 'crm'));
    const bare = await fetch(`${parties.app.resource}/contacts`);
    expect([bare.status, bare.headers.get('www-authenticate')]).toEqual([
      401,
      `Bearer realm="${parties.app.resource}"`,
    ]);
    expect((await fetch(`${parties.app.resource}/contacts?access_token=${accessToken}`)).status).toBe(401);

    const small = await parties.client.call('crm', accessToken, 'POST', '/contacts');
    expect(small.status).toBe(403);
    expect(small.headers.get('www-authenticate')).toContain('error="insufficient_scope", scope="crm.write"');
    expect(parties.told.at(-1)).toMatchObject({ name: 'access.denied', data: { status: 403, operation: 'write' } });
    expect((await parties.client.call('crm', accessToken, 'GET', '/nowhere')).status).toBe(404);
  });

  describe('the authorization server refuses', () => {
    const now = () => Math.floor(Date.now() / 1000);
    type Claims = Record<string, unknown>;
    const changes: readonly (readonly [
      what: string,
      reason: string | undefined,
      claims: () => Claims,
      typ?: string,
    ])[] = [
      ['another typ', undefined, () => ({}), 'JWT'],
      ['another audience', 'aud is not this server alone', () => ({ aud: 'https://login.chat.example' })],
      [
        'two audiences',
        'aud is not this server alone',
        () => ({ aud: [parties.app.issuer, 'https://login.chat.example'] }),
      ],
      ['another client', 'client_id is another client', () => ({ client_id: 'wiki-at-crm' })],
      ['an expired one', 'expired, or no exp', () => ({ iat: now() - 300, exp: now() - 10 })],
      ['one without exp', 'expired, or no exp', () => ({ exp: undefined })],
      ['one issued in the future', 'issued in the future, or no iat', () => ({ iat: now() + 60, exp: now() + 120 })],
      ['one not yet valid', 'not yet valid', () => ({ nbf: now() + 60 })],
      ['one that lives too long', 'lifetime is too long', () => ({ exp: now() + 301 })],
      ['one without jti', 'jti is missing', () => ({ jti: undefined })],
      ['one without sub', 'sub is missing', () => ({ sub: undefined })],
      ['a bound one without proof', 'cnf without proof of possession', () => ({ cnf: { jkt: sha256('key') } })],
      ['another resource', 'resource is not of this server', () => ({ resource: 'https://api.chat.example' })],
      [
        'a resource of another server beside its own',
        'resource is not of this server',
        () => ({ resource: [parties.app.resource, 'https://api.chat.example'] }),
      ],
      ['scopes it does not have', 'scope does not fit the resource', () => ({ scope: 'chat.read' })],
      ['one without scope', 'scope does not fit the resource', () => ({ scope: undefined })],
      ['a subject without an account', 'no account for this subject', () => ({ sub: 'mallory' })],
      ['an issuer it does not trust', 'issuer is not trusted for this client', () => ({ iss: 'https://idp.example' })],
    ];
    const claims = (change: Claims): Claims => ({
      iss: parties.idp.issuer,
      sub: 'alice',
      aud: parties.app.issuer,
      client_id: 'atlas-at-crm',
      jti: crypto.randomUUID(),
      iat: now(),
      exp: now() + 300,
      resource: parties.app.resource,
      scope: 'crm.read',
      ...change,
    });

    it('no good ID-JAG', async () => {
      const idJag = await parties.idpKey.sign(claims({}), 'oauth-id-jag+jwt');
      expect((await parties.client.redeem('crm', idJag)).scope).toBe('crm.read');
    });

    it.each(changes)('%s', async (_what, reason, change, typ = 'oauth-id-jag+jwt') => {
      const idJag = await parties.idpKey.sign(claims(change()), typ);
      expect(await errorOf(parties.client.redeem('crm', idJag))).toBe('invalid_grant');
      // A text that is not marked as an ID-JAG is not reported as one.
      const told =
        reason === undefined ? [] : [{ name: 'token.denied', data: { reason, id_jag: { sha256: sha256(idJag) } } }];
      expect(parties.told).toMatchObject(told);
      expect(parties.told).toHaveLength(told.length);
      expect(parties.asked).toEqual([]);
    });

    it('an ID-JAG of another key, one with alg none, and a text that is no JWS', async () => {
      const foreign = await (await createSigningKey('idp-1')).sign(claims({}), 'oauth-id-jag+jwt');
      const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const unsigned = `${encode({ alg: 'none', typ: 'oauth-id-jag+jwt' })}.${encode(claims({}))}.`;
      for (const assertion of [foreign, unsigned, 'x', 'x.y.z', `${foreign}.more.parts`]) {
        expect(await errorOf(parties.client.redeem('crm', assertion))).toBe('invalid_grant');
      }
      expect(parties.asked).toEqual([]);
    });

    it('a suspended account with another error', async () => {
      const idJag = await parties.idpKey.sign(claims({ sub: 'bob' }), 'oauth-id-jag+jwt');
      expect(await errorOf(parties.client.redeem('crm', idJag))).toBe('access_denied');
    });

    it('a client that does not authenticate, and a malformed request', async () => {
      const post = (body: string, secret: string) =>
        fetch(`${parties.app.issuer}/token`, {
          method: 'POST',
          headers: {
            'content-type': 'application/x-www-form-urlencoded',
            authorization: `Basic ${Buffer.from(`atlas-at-crm:${secret}`).toString('base64')}`,
          },
          body,
        });
      const grant = 'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer';
      expect((await post(`${grant}&assertion=x`, 'wrong')).status).toBe(401);
      expect(await (await post(grant, APP_SECRET)).json()).toMatchObject({ error: 'invalid_request' });
      expect(await (await post(`${grant}&assertion=x&assertion=y`, APP_SECRET)).json()).toMatchObject({
        error: 'invalid_request',
      });
    });
  });

  describe('the identity provider', () => {
    it('lets its policy decide on user, client, audience and scope', async () => {
      expect(await errorOf(parties.client.exchange('alice', 'crm', 'crm.write'))).toBe('access_denied');
      await parties.idp.deleteConnection('atlas', parties.app.issuer);
      expect(await errorOf(parties.client.exchange('alice', 'crm', 'crm.read'))).toBe('invalid_target');
      await parties.idp.createConnection({
        idpClientId: 'atlas',
        audience: parties.app.issuer,
        resource: parties.app.resource,
        clientId: 'atlas-at-crm',
        scopes: ['crm.read', 'crm.write'],
        users: { alice: ['crm.read'] },
      });
      expect(parties.told).toMatchObject([
        {
          name: 'id-jag.denied',
          data: { sub: 'alice', error: 'access_denied', scope: 'crm.write', decision_id: expect.any(String) },
        },
        { name: 'connection.deleted', data: { idp_client_id: 'atlas', client_id: 'atlas-at-crm' } },
        { name: 'id-jag.denied', data: { error: 'invalid_target' } },
        { name: 'connection.created', data: { scope: 'crm.read crm.write', agent: { id: 'atlas', type: 'ai_agent' } } },
      ]);
      for (const { name, data } of parties.told) expect(validateEventData(name, data)).toBeUndefined();
    });

    it("refuses another client's ID token, and anything else in its place", async () => {
      const now = Math.floor(Date.now() / 1000);
      const foreign = await parties.idpKey.sign(
        { iss: parties.idp.issuer, sub: 'alice', aud: 'wiki', iat: now, exp: now + 60 },
        'JWT',
      );
      for (const subject of [foreign, 'x', '']) {
        const response = await fetch(`${parties.idp.issuer}/token`, {
          method: 'POST',
          headers: { authorization: `Basic ${Buffer.from('atlas:atlas-secret').toString('base64')}` },
          body: new URLSearchParams({
            grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
            requested_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
            audience: parties.app.issuer,
            subject_token: subject,
            subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
          }),
        });
        expect(response.status).toBe(400);
        expect(await response.json()).toMatchObject({ error: 'invalid_request' });
      }
    });

    it('neither signs in nor exchanges for a disabled user', async () => {
      await parties.idp.disableUser('alice');
      expect(await errorOf(parties.client.exchange('alice', 'crm'))).toBe('invalid_request');
      await parties.idp.enableUser('alice');
      expect(await errorOf(parties.client.exchange('alice', 'crm'))).toBe('no error');
      expect(parties.told.map(({ name }) => name)).toEqual([
        'user.disabled',
        'id-jag.denied',
        'user.enabled',
        'id-jag.issued',
      ]);
    });

    it('ends the session at sign-out, for the exchange too', async () => {
      await parties.client.exchange('alice', 'crm');
      const { sid } = parties.told.at(-1)!.data as { sid: string };
      await parties.browser.submit(await parties.browser.open(`${parties.client.signOutUrl}?sub=alice`), {
        logout: 'yes',
      });
      expect(parties.told.at(-1)).toEqual({
        name: 'session.ended',
        data: { iss: parties.idp.issuer, sid, sub: 'alice' },
      });
      expect(await errorOf(parties.client.exchange('alice', 'crm'))).toBe('invalid_request');
    });
  });
});
