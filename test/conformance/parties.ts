import type { IdJagIssued, TokenIssued } from '../../src/contracts/index.js';
import {
  DEFAULT_TOKEN_PROFILE,
  type CallerRecord,
  type SourceRecord,
  type TenantRecord,
} from '../../src/control/index.js';
import { digestOf, makeKey } from './signing.js';

/** An IdP, a RAS with its API, another company's, and the resource server that asks. */
export const IDP = 'https://idp.acme.example';
export const RAS = 'https://login.chat.example';
export const API = 'https://api.chat.example/mcp';
export const OTHER_RAS = 'https://login.crm.example';
export const OTHER_API = 'https://api.crm.example';

export const idpKey = makeKey('EdDSA', 'idp-1');
export const rasKey = makeKey('ES256', 'ras-1');
export const rasRsaKey = makeKey('RS256', 'ras-2');
export const rasPssKey = makeKey('PS256', 'ras-3');
export const otherRasKey = makeKey('ES256', 'crm-1');
export const strangerKey = makeKey('ES256', 'ras-1');

export const TENANT: TenantRecord = {
  id: '6f0a1ed4-5c0c-4a07-9a3e-3a1f0f0c1a01',
  name: 'default',
  key: Buffer.alloc(32, 7).toString('base64url'),
};

const source = (id: string, name: string, uri: string, over: Partial<SourceRecord>): SourceRecord => ({
  id,
  name,
  uri,
  topic: `rescind.events.${name}`,
  types: [],
  issuers: [uri],
  resources: [],
  profile: DEFAULT_TOKEN_PROFILE,
  disabled: false,
  ...over,
});

export const IDP_SOURCE = source('11111111-1111-4111-8111-111111111111', 'idp', IDP, {
  types: ['id-jag.issued', 'session.ended', 'user.disabled'],
  jwks: { keys: [idpKey.jwk] },
});
export const RAS_SOURCE = source('22222222-2222-4222-8222-222222222222', 'chat', RAS, {
  types: ['token.issued', 'token.revoked'],
  resources: [API],
  jwks: { keys: [rasKey.jwk, rasRsaKey.jwk, rasPssKey.jwk] },
});
export const OTHER_RAS_SOURCE = source('33333333-3333-4333-8333-333333333333', 'crm', OTHER_RAS, {
  types: ['token.issued'],
  resources: [OTHER_API],
  jwks: { keys: [otherRasKey.jwk] },
});

const caller = (id: string, roles: CallerRecord['roles']): CallerRecord => ({
  id,
  roles,
  secrets: [{ id: `${id}-1`, sha256: digestOf(secretOf(id)), created_at: 0 }],
  disabled: false,
});
export const secretOf = (id: string): string => `rsk_${digestOf(id)}`;

export const RESOURCE_SERVER = caller('chat-api', { introspect: { resources: [API], issuers: [RAS] } });
export const AUTHORIZATION_SERVER = caller('chat-login', {
  introspect: { resources: [RAS], issuers: [RAS, IDP] },
  'revoke-own': { clients: [{ iss: RAS, client_id: 'wiki-at-chat' }] },
});
export const OTHER_RESOURCE_SERVER = caller('crm-api', {
  introspect: { resources: [OTHER_API], issuers: [OTHER_RAS] },
});
export const WAITING_SERVER = caller('chat-api-waits', {
  introspect: { resources: [API], issuers: [RAS], wait: true },
});
export const NO_ROLE = caller('producer', { emit: { sources: ['chat'] } });

export const basic = (id: string, secret = secretOf(id)): string =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
export const bearer = (id: string): string => `Bearer ${secretOf(id)}`;

export const idJagClaims = (now: number, over: Partial<IdJagIssued> = {}) => ({
  iss: IDP,
  jti: 'gr-1',
  sub: 'u-1',
  aud: RAS,
  client_id: 'wiki-at-chat',
  scope: 'chat.read',
  iat: now - 40,
  exp: now + 260,
  sid: 's-1',
  agent: { id: 'agent-42', type: 'support-assistant' },
  ...over,
});

/** The IdP's event about an ID-JAG that it issued. */
export const idJagFacts = (now: number, over: Partial<IdJagIssued> = {}): IdJagIssued => ({
  ...idJagClaims(now),
  aud: [RAS],
  idp_client_id: 'wiki-at-idp',
  ...over,
});

/** The RAS's event about a token that it issued, without the token's identity. */
export const tokenFacts = (now: number, over: Partial<TokenIssued> = {}): TokenIssued => ({
  kind: 'access',
  iss: RAS,
  sub: 'chat-u-1',
  client_id: 'wiki-at-chat',
  aud: [API],
  scope: 'chat.read chat.history',
  iat: now - 30,
  exp: now + 870,
  id_jag: { iss: IDP, jti: 'gr-1', sub: 'u-1', client_id: 'wiki-at-chat', iat: now - 40 },
  ...over,
});

/** The claims of a JWT access token of these facts (RFC 9068, section 2.2). */
export function claimsOf({
  iss,
  jti,
  sub,
  client_id,
  aud,
  scope,
  iat,
  exp,
  cnf,
  act,
}: TokenIssued): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify({ iss, jti, sub, client_id, aud: aud.length === 1 ? aud[0] : aud, scope, iat, exp, cnf, act }),
  ) as Record<string, unknown>;
}
