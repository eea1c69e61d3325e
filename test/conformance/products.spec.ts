import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TokenIssued, TokenProfilePreset } from '../../src/contracts/index.js';
import { API, RAS } from './parties.js';
import { SOURCES, startConformanceService, type ConformanceService } from './service.js';
import { digestOf, makeKey, signingInput, signJwt, type Algorithm, type SigningKey } from './signing.js';

const INACTIVE = '{"active":false}';
const TOKEN_ENDPOINT = `${RAS}/oauth2/token`;
const keys = (['RS256', 'ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'PS384', 'PS512', 'RS384', 'RS512'] as const).map(
  (alg) => makeKey(alg, alg),
);
const keyOf = (alg: Algorithm): SigningKey => keys.find((key) => key.alg === alg)!;

let service: ConformanceService;
beforeAll(async () => {
  service = await startConformanceService();
});
afterAll(() => service.stop());

const now = (): number => Math.floor(Date.now() / 1000);
const introspect = async (token: string, as = 'chat-api'): Promise<string> =>
  (await service.post('/introspect', String(new URLSearchParams({ token })), { authorization: service.basic(as) }))
    .text;

interface Shape {
  readonly preset: TokenProfilePreset;
  readonly header: object;
  /** Claims beside `iss`, `iat` and `exp`. */
  readonly claims: object;
  readonly alg?: Algorithm;
  /** Members of the profile beside the preset. */
  readonly profile?: object;
  /** Members of the event beside its identity and times; without `aud`, the claim is taken. */
  readonly event?: Partial<TokenIssued>;
  readonly lifetime?: number;
}

const DPOP = { jkt: digestOf('key'), 'kc-jkt-type': 'DPoP' };
const keycloak = {
  sub: '11fa',
  typ: 'Bearer',
  azp: 'wiki',
  sid: 's',
  acr: '1',
  aud: [API, 'account'],
  scope: 'profile email',
  realm_access: { roles: ['user'] },
  preferred_username: 'u',
};
const id = (): string => randomUUID();

/** Each product's access token as its documents or a server of it show it. */
const SHAPES: readonly [string, () => Shape][] = [
  [
    'RFC 9068',
    () => ({
      preset: 'rfc9068',
      header: { typ: 'at+jwt' },
      claims: { jti: id(), sub: 'u', client_id: 'wiki', aud: API, scope: 'read' },
      profile: { lineage: 'none' },
    }),
  ],
  [
    'Keycloak, a user’s',
    () => ({ preset: 'keycloak', header: { typ: 'JWT' }, claims: { ...keycloak, jti: `onrtac:${id()}` } }),
  ],
  [
    'Keycloak, of an ID-JAG',
    () => ({
      preset: 'keycloak',
      header: { typ: 'JWT' },
      claims: { ...keycloak, sid: undefined, jti: `trrtag:${id()}` },
      event: { id_jag: { iss: 'https://idp.acme.example', jti: id(), sub: 'u-1' } },
    }),
  ],
  [
    'Keycloak, client credentials',
    () => ({
      preset: 'keycloak',
      header: { typ: 'JWT' },
      claims: { ...keycloak, sid: undefined, client_id: 'wiki', jti: `trrtcc:${id()}` },
    }),
  ],
  [
    'Keycloak, bound by DPoP',
    () => ({
      preset: 'keycloak',
      header: { typ: 'JWT' },
      claims: { ...keycloak, typ: 'DPoP', cnf: DPOP, jti: id() },
      event: { cnf: DPOP },
    }),
  ],
  [
    'Keycloak, signed with ES384',
    () => ({ preset: 'keycloak', alg: 'ES384', header: { typ: 'JWT' }, claims: { ...keycloak, jti: id() } }),
  ],
  [
    'Keycloak, RFC 9068 by its client',
    () => ({ preset: 'keycloak', header: { typ: 'at+jwt' }, claims: { ...keycloak, jti: id() } }),
  ],
  [
    'Keycloak, lightweight',
    () => ({
      preset: 'keycloak',
      header: { typ: 'JWT' },
      claims: { azp: 'wiki', sid: 's', scope: 'profile email', jti: id() },
      profile: { default_resource: API },
      event: { aud: [], sub: '11fa' },
    }),
  ],
  [
    'Keycloak, for `account` alone',
    () => ({
      preset: 'keycloak',
      header: { typ: 'JWT' },
      claims: { ...keycloak, aud: 'account', jti: id() },
      profile: { default_resource: API },
    }),
  ],
  [
    'Okta',
    () => ({
      preset: 'okta',
      header: { typ: undefined },
      claims: {
        ver: 1,
        jti: `AT.${id()}`,
        aud: API,
        cid: 'wiki',
        uid: '00u',
        scp: ['openid', 'read'],
        sub: 'u@acme.example',
      },
    }),
  ],
  [
    'Auth0',
    () => ({
      preset: 'auth0',
      header: { typ: 'JWT' },
      claims: {
        sub: 'auth0|u',
        aud: [API, `${RAS}/userinfo`],
        azp: 'wiki',
        scope: 'openid read',
        gty: 'password',
        n: id(),
      },
    }),
  ],
  [
    'Auth0, RFC 9068',
    () => ({
      preset: 'auth0',
      header: { typ: 'at+jwt' },
      claims: { sub: 'auth0|u', aud: [API, `${RAS}/userinfo`], client_id: 'wiki', scope: 'openid read', jti: id() },
    }),
  ],
  [
    'Entra v2',
    () => ({
      preset: 'entra',
      header: { typ: 'JWT', x5t: 'x' },
      claims: { aud: API, azp: 'wiki', oid: 'o', scp: 'User.Read', sub: 'pairwise', tid: 't', uti: id(), ver: '2.0' },
      lifetime: 28 * 3_600,
    }),
  ],
  [
    'Entra v1',
    () => ({
      preset: 'entra',
      header: { typ: 'JWT' },
      claims: { aud: API, appid: 'wiki', oid: 'o', scp: 'User.Read', sub: 'pairwise', tid: 't', uti: id(), ver: '1.0' },
    }),
  ],
  [
    'PingOne',
    () => ({
      preset: 'pingone',
      header: { typ: undefined },
      claims: { client_id: 'wiki', aud: [API], scope: 'read', sub: 'u', env: 'e', sid: id() },
    }),
  ],
  [
    'PingOne, at+jwt',
    () => ({
      preset: 'pingone',
      header: { typ: 'at+jwt' },
      claims: { client_id: 'wiki', aud: [API], scope: 'read', env: 'e', jti: id() },
    }),
  ],
  [
    'PingAM',
    () => ({
      preset: 'pingam',
      header: { typ: 'JWT' },
      claims: { sub: '(usr!demo)', aud: 'wiki', scope: ['openid', 'read'], jti: id() },
      profile: { default_resource: API },
      event: { client_id: 'wiki', aud: [] },
    }),
  ],
  [
    'Hydra',
    () => ({
      preset: 'hydra',
      header: { typ: 'JWT' },
      claims: { aud: [], client_id: 'wiki', scp: ['read'], ext: {}, sub: 'u', jti: id() },
      profile: { default_resource: API },
    }),
  ],
  [
    'Hydra, of an ID-JAG',
    () => ({
      preset: 'hydra',
      header: { typ: 'JWT' },
      claims: { aud: [TOKEN_ENDPOINT], client_id: 'wiki', scp: ['read'], sub: 'u', jti: id() },
      profile: { default_resource: API, ignored_audiences: [TOKEN_ENDPOINT] },
    }),
  ],
];

interface Issued {
  readonly facts: TokenIssued;
  readonly token: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Makes the event that a producer makes of the claims: client, scope and audience, by any product's names. */
function issue({ preset, header, claims: said, alg = 'RS256', event = {}, lifetime = 300 }: Shape): Issued {
  const iat = now() - 1;
  const claims = { iss: RAS, iat, exp: iat + lifetime, ...said } as Record<string, unknown>;
  const { client_id: clientId, azp, cid, appid, scope, scp, aud = [], sub, jti, uti } = claims;
  const scopes = (scope ?? scp ?? '') as string | string[];
  const identity = jti ?? (preset === 'entra' ? uti : undefined);
  const facts = {
    kind: 'access',
    iss: RAS,
    ...(identity === undefined
      ? { signing_input_sha256: digestOf(signingInput(keyOf(alg), claims, header)) }
      : { jti: identity }),
    sub,
    client_id: clientId ?? azp ?? cid ?? appid,
    aud: [aud].flat(),
    scope: [scopes].flat().join(' '),
    iat,
    exp: iat + lifetime,
    ...event,
  } as unknown as TokenIssued;
  return {
    facts: JSON.parse(JSON.stringify(facts)) as TokenIssued,
    token: signJwt(keyOf(alg), claims, header),
    claims,
  };
}

const configure = ({ preset, profile = {} }: Shape): Promise<void> =>
  service.updateSource('chat', {
    ...SOURCES['chat'],
    jwks: { keys: keys.map(({ jwk }) => jwk) },
    profile: { preset, ...profile },
  });

describe.each(SHAPES)('an access token of %s', (_, make) => {
  it('is active once it is announced, with the names of RFC 7662, until a rule stops it', async () => {
    const shape = make();
    await configure(shape);
    const { facts, token } = issue(shape);
    expect(await introspect(token)).toBe(INACTIVE);
    await service.emit('chat', 'token.issued', facts);
    const answer = JSON.parse(await introspect(token)) as object;
    expect(answer).toMatchObject({
      active: true,
      iss: RAS,
      client_id: 'wiki',
      aud: API,
      ...(facts.sub === undefined ? {} : { sub: facts.sub }),
      ...(facts.cnf ? { cnf: facts.cnf } : {}),
    });
    await service.revoke({
      token:
        facts.jti === undefined ? { signing_input_sha256: facts.signing_input_sha256 } : { iss: RAS, jti: facts.jti },
    });
    expect(await introspect(token)).toBe(INACTIVE);
  });

  it('is inactive if it contradicts its event', async () => {
    const shape = make();
    await configure(shape);
    const { facts } = issue(shape);
    const said = shape.claims as Record<string, unknown>;
    const others = [
      ...['client_id', 'azp', 'cid', 'appid'].filter((name) => name in said).map((name) => ({ [name]: 'other' })),
      ...('client_id' in said ? [{ azp: 'other' }] : []),
      ...('sub' in said ? [{ sub: 'other' }] : []),
      ...['scope', 'scp']
        .filter((name) => name in said)
        .map((name) => ({ [name]: Array.isArray(said[name]) ? ['admin'] : 'admin' })),
      ...('cnf' in said ? [] : [{ cnf: { jkt: digestOf('other') } }]),
      { aud: ['https://other.example'] },
      { exp: now() + 600 },
    ];
    // Without a `jti` another text is another token, which nobody announced.
    await service.emit('chat', 'token.issued', facts);
    for (const other of others)
      expect({ other, answer: await introspect(issue({ ...shape, claims: { ...said, ...other } }).token) }).toEqual({
        other,
        answer: INACTIVE,
      });
  });
});

describe('a token of one source is read by its profile alone', () => {
  it.each(SHAPES.filter(([name]) => name !== 'RFC 9068' && name !== 'PingOne, at+jwt'))(
    '%s: the profile of RFC 9068 does not read it',
    async (_, make) => {
      const shape = make();
      await configure(shape);
      const { facts, token } = issue(shape);
      await service.emit('chat', 'token.issued', facts);
      await configure({ ...shape, preset: 'rfc9068', profile: {} });
      expect(await introspect(token)).toBe(INACTIVE);
    },
  );
});

describe('a JWT that no key of the source can verify', () => {
  it('is looked up by its digest, like an opaque token', async () => {
    await configure({ preset: 'keycloak', header: {}, claims: {} });
    const refresh = `${Buffer.from(JSON.stringify({ alg: 'HS512', typ: 'JWT' })).toString('base64url')}.${Buffer.from(JSON.stringify({ iss: RAS, jti: id(), typ: 'Refresh' })).toString('base64url')}.${digestOf(id())}`;
    expect(await introspect(refresh, 'chat-login')).toBe(INACTIVE);
    await service.emit('chat', 'token.issued', {
      kind: 'refresh',
      iss: RAS,
      sha256: digestOf(refresh),
      client_id: 'wiki',
      aud: [RAS],
      iat: now() - 1,
    });
    expect(JSON.parse(await introspect(refresh, 'chat-login'))).toMatchObject({ active: true, client_id: 'wiki' });
    expect(await introspect(`${refresh.slice(0, -1)}${refresh.endsWith('A') ? 'B' : 'A'}`, 'chat-login')).toBe(
      INACTIVE,
    );
  });

  it.each(keys.map(({ alg }) => alg))('%s is verified', async (alg) => {
    const shape: Shape = { preset: 'keycloak', alg, header: { typ: 'JWT' }, claims: { ...keycloak, jti: id() } };
    await configure(shape);
    const { facts, token } = issue(shape);
    await service.emit('chat', 'token.issued', facts);
    expect(JSON.parse(await introspect(token))).toMatchObject({ active: true });
    const other = signJwt(
      { ...makeKey(alg, alg), kid: alg },
      { ...keycloak, iss: RAS, jti: facts.jti, iat: facts.iat, exp: facts.exp },
      { typ: 'JWT' },
    );
    expect(await introspect(other)).toBe(INACTIVE);
  });
});

it('`POST /revoke` reads the client of a token by the same profile', async () => {
  const shape: Shape = {
    preset: 'keycloak',
    header: { typ: 'JWT' },
    claims: { ...keycloak, azp: 'wiki-at-chat', jti: id() },
  };
  await configure(shape);
  const { facts, token } = issue(shape);
  const other = issue({ ...shape, claims: { ...shape.claims, azp: 'other', jti: id() } });
  const revoke = async (text: string): Promise<number> =>
    (
      await service.post('/revoke', String(new URLSearchParams({ token: text })), {
        authorization: service.basic('chat-login'),
      })
    ).status;
  expect([await revoke(token), await revoke(other.token)]).toEqual([200, 400]);
  for (const issued of [facts, other.facts]) await service.emit('chat', 'token.issued', issued);
  expect(await introspect(token)).toBe(INACTIVE);
  expect(JSON.parse(await introspect(other.token))).toMatchObject({ active: true });
});
