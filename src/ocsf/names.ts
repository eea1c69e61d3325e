import type { TokenRef } from '../contracts/index.js';
import { defined, type Json } from './event.js';

/** User types of OCSF. */
const UNKNOWN = 0;
const USER = 1;
const SERVICE = 4;
/** OAuth 2.0 among OCSF's protocols. */
export const OAUTH = { auth_protocol_id: 6, auth_protocol: 'OAUTH 2.0' } as const;

export interface Subject {
  readonly iss: string;
  readonly tenant?: string | undefined;
  readonly sub: string;
}

/** A user. OCSF's `domain` is where the user is defined, which is the issuer; `org` is the tenant that the issuer states. */
export const userOf = ({ iss, tenant, sub }: Subject): Json =>
  defined({ uid: sub, domain: iss, type_id: USER, org: tenant === undefined ? undefined : { uid: tenant } });

/** The type of a user that is an application. */
export const SERVICE_USER = { type_id: SERVICE, type: 'Service' } as const;

/** Classes of identity demand a user. An application that acts for nobody is its own user. */
export const applicationAsUser = (iss: string, clientId: string): Json => ({
  uid: clientId,
  domain: iss,
  ...SERVICE_USER,
});

/** A user that the event does not name. */
export const UNKNOWN_USER: Json = { name: 'unknown', type_id: UNKNOWN };
/** All users: a rule that names none applies to each. */
export const EVERY_USER: Json = { name: '*', type_id: UNKNOWN };

/** The one text that stands for a token: its `jti`, or its digest. */
export const tokenId = (token: {
  readonly jti?: string | undefined;
  readonly sha256?: string | undefined;
  readonly signing_input_sha256?: string | undefined;
}): string | undefined => token.jti ?? token.sha256 ?? token.signing_input_sha256;

/** The session that a token is, for OCSF. */
export const sessionOfToken = (token: TokenRef): Json =>
  defined({ uid: tokenId(token), issuer: 'iss' in token ? token.iss : undefined });

export const milliseconds = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : seconds * 1000;

export const scopesOf = (scope: string | undefined): readonly string[] =>
  scope === undefined || scope === '' ? [] : scope.split(' ');

export const resourcesOf = (uris: readonly string[] | undefined): readonly Json[] | undefined =>
  uris === undefined || uris.length === 0 ? undefined : uris.map((uid) => ({ uid }));
