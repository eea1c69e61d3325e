import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PresentedIdJag, TokenIssued } from '../../src/contracts/index.js';
import { makeKey, signJwt } from '../conformance/signing.js';
import { findTool } from '../support/tools.js';
import { API, IDP_SUBJECT, startKeycloak, USER, type Keycloak } from './keycloak.js';
import { claimsOf, startRescindAt, type RescindAtServer } from './rescind.js';

const IDP = 'https://idp.acme.example';
const idpKey = makeKey('ES256', 'idp-1');
const seconds = (): number => Math.floor(Date.now() / 1000);

/** The facts that an event listener in Keycloak has about a token: its claims, and its origin. */
function factsOf(token: string, over: Partial<TokenIssued> = {}): TokenIssued {
  const { iss, jti, sub, azp, aud, scope, iat, exp, sid } = claimsOf(token);
  return {
    kind: 'access',
    iss,
    jti,
    sub,
    client_id: azp,
    aud: [aud].flat(),
    scope,
    iat,
    exp,
    ...(sid === undefined ? {} : { sid }),
    ...over,
  };
}

// In CI a missing program is an error (`findTool`): the specs fail there and are not skipped.
const described = findTool('mvn') === undefined ? describe.skip : describe;

described('a real Keycloak, by `--profile keycloak`', () => {
  let keycloak: Keycloak;
  let rescind: RescindAtServer;
  beforeAll(async () => {
    keycloak = await startKeycloak({
      idp: { issuer: IDP, jwks: JSON.stringify({ keys: [idpKey.jwk] }), alg: 'ES256' },
    });
    rescind = await startRescindAt({ ...keycloak, resource: API, profile: { preset: 'keycloak' }, idp: IDP });
  });
  afterAll(async () => {
    await rescind?.stop();
    await keycloak?.stop();
  });

  const byPassword = () =>
    keycloak.token({ grant_type: 'password', username: USER.name, password: USER.password, scope: 'openid' });

  async function redeemed(): Promise<{ token: string; idJag: PresentedIdJag }> {
    const claims = {
      iss: IDP,
      sub: IDP_SUBJECT,
      aud: keycloak.issuer,
      client_id: 'crm-app',
      jti: randomUUID(),
      iat: seconds(),
      exp: seconds() + 60,
    };
    const assertion = signJwt(idpKey, claims, { typ: 'oauth-id-jag+jwt' });
    const { access_token: token } = await keycloak.token({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion,
    });
    return {
      token,
      idJag: {
        iss: IDP,
        jti: claims.jti,
        sub: IDP_SUBJECT,
        client_id: claims.client_id,
        iat: claims.iat,
        exp: claims.exp,
      },
    };
  }

  /** Each way to a token, with what its event says. */
  const GRANTS: readonly (readonly [string, () => Promise<{ token: string; facts: TokenIssued }>])[] = [
    ['a password', async () => plain((await byPassword()).access_token)],
    [
      'client credentials',
      async () => plain((await keycloak.token({ grant_type: 'client_credentials' })).access_token),
    ],
    [
      'a refresh token',
      async () =>
        plain(
          (await keycloak.token({ grant_type: 'refresh_token', refresh_token: (await byPassword()).refresh_token! }))
            .access_token,
        ),
    ],
    [
      'an exchanged token',
      async () => {
        const subject = (await byPassword()).access_token;
        const exchange = {
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          subject_token: subject,
          subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          audience: API,
        };
        return plain((await keycloak.token(exchange)).access_token);
      },
    ],
    [
      'an ID-JAG',
      async () => {
        const { token, idJag } = await redeemed();
        return { token, facts: factsOf(token, { id_jag: idJag }) };
      },
    ],
    [
      'an ID-JAG that its event names by the user alone',
      async () => {
        const { token } = await redeemed();
        return { token, facts: factsOf(token, { id_jag: { iss: IDP, sub: IDP_SUBJECT } }) };
      },
    ],
  ];
  const plain = (token: string) => ({ token, facts: factsOf(token) });

  it.each(GRANTS)('issues a token for %s that is active after its event, and stopped by a rule', async (_, issue) => {
    const { token, facts } = await issue();
    expect(await rescind.isActive(token)).toBe(false);
    expect(await rescind.say('ras', 'token.issued', facts)).not.toHaveProperty('warnings');
    expect(await rescind.isActive(token)).toBe(true);
    await rescind.order({ token: { iss: facts.iss, jti: facts.jti } });
    expect(await rescind.isActive(token)).toBe(false);
  });

  it('has tokens of a user stopped by the user, and those of an ID-JAG by the identity provider’s user', async () => {
    const own = (await byPassword()).access_token;
    const { token, idJag } = await redeemed();
    await rescind.say('ras', 'token.issued', factsOf(own));
    await rescind.say('ras', 'token.issued', factsOf(token, { id_jag: idJag }));
    expect([await rescind.isActive(own), await rescind.isActive(token)]).toEqual([true, true]);
    await rescind.say('idp', 'session.ended', { iss: IDP, sub: IDP_SUBJECT });
    expect([await rescind.isActive(own), await rescind.isActive(token)]).toEqual([true, false]);
    await rescind.order({ user: { iss: keycloak.issuer, sub: keycloak.userId } });
    expect(await rescind.isActive(own)).toBe(false);
  });

  it('keeps a token inactive whose event says something else, and tells what differs', async () => {
    const { access_token: token } = await keycloak.token({ grant_type: 'client_credentials' });
    const { iss, jti } = claimsOf(token);
    await rescind.say('ras', 'token.issued', factsOf(token, { client_id: 'somebody-else' }));
    expect(await rescind.isActive(token)).toBe(false);
    const mismatch = expect.objectContaining({ reason: 'mismatch', member: 'client_id' });
    const inactive = async (): Promise<unknown[]> => (await rescind.get('/v1/sources/ras/check')).inactive;
    while (!(await inactive()).some((one) => (one as { reason: string }).reason === 'mismatch')) await delay(100);
    expect(await inactive()).toContainEqual(mismatch);
    const query = new URLSearchParams({ iss, jti });
    expect(await rescind.get(`/v1/tokens?${query}`)).toMatchObject({ would_be_active: false, because: [mismatch] });
  });
});
