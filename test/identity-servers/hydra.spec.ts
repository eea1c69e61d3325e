import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PresentedIdJag, TokenIssued } from '../../src/contracts/index.js';
import { makeKey, signJwt } from '../conformance/signing.js';
import { findTool } from '../support/tools.js';
import { startHydra, type Hydra } from './hydra.js';
import { claimsOf, startRescindAt, type RescindAtServer } from './rescind.js';

const IDP = 'https://idp.acme.example';
const API = 'https://crm.example/api';
const idpKey = makeKey('ES256', 'idp-1');
const seconds = (): number => Math.floor(Date.now() / 1000);

// In CI a missing program is an error (`findTool`): the specs fail there and are not skipped.
const described = findTool('go') === undefined ? describe.skip : describe;

described('a real Hydra, by `--profile hydra`', () => {
  let hydra: Hydra;
  let rescind: RescindAtServer;
  beforeAll(async () => {
    hydra = await startHydra({ audience: API, idp: { issuer: IDP, jwk: idpKey.jwk } });
    // The token of an ID-JAG names the token endpoint as its audience.
    rescind = await startRescindAt({
      ...hydra,
      resource: API,
      profile: { preset: 'hydra', default_resource: API, ignored_audiences: [hydra.tokenEndpoint] },
      idp: IDP,
    });
  });
  afterAll(async () => {
    await rescind?.stop();
    await hydra?.stop();
  });

  /** The data of the token's event: its claims, and the ID-JAG that it came from. */
  function factsOf(token: string, idJag?: PresentedIdJag): TokenIssued {
    const { iss, jti, sub, client_id, aud, scp, iat, exp } = claimsOf(token);
    return {
      kind: 'access',
      iss,
      jti,
      sub,
      client_id,
      aud,
      scope: scp.join(' '),
      iat,
      exp,
      ...(idJag === undefined ? {} : { id_jag: idJag }),
    };
  }

  it.each([
    ['client credentials', { grant_type: 'client_credentials', scope: 'read', audience: API }],
    ['client credentials without an audience', { grant_type: 'client_credentials', scope: 'read' }],
  ])('issues a token for %s that is active after its event, and stopped by a rule', async (_, form) => {
    const token = await hydra.token(form);
    const facts = factsOf(token);
    expect(await rescind.isActive(token)).toBe(false);
    await rescind.say('ras', 'token.issued', facts);
    expect(await rescind.isActive(token)).toBe(true);
    await rescind.order({ token: { iss: facts.iss, jti: facts.jti } });
    expect(await rescind.isActive(token)).toBe(false);
  });

  it('redeems an ID-JAG for a token that is active, and stopped by the identity provider’s user', async () => {
    const claims = {
      iss: IDP,
      sub: 'idp-alice',
      aud: hydra.tokenEndpoint,
      jti: randomUUID(),
      iat: seconds(),
      exp: seconds() + 60,
    };
    const assertion = signJwt(idpKey, claims, { typ: 'oauth-id-jag+jwt' });
    const token = await hydra.token({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion,
      scope: 'read',
    });
    await rescind.say(
      'ras',
      'token.issued',
      factsOf(token, { iss: IDP, jti: claims.jti, sub: claims.sub, iat: claims.iat, exp: claims.exp }),
    );
    expect(await rescind.isActive(token)).toBe(true);
    await rescind.say('idp', 'session.ended', { iss: IDP, sub: claims.sub });
    expect(await rescind.isActive(token)).toBe(false);
  });
});
