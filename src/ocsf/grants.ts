import type {
  IdJagDenied,
  IdJagIssued,
  SessionEnded,
  TokenDenied,
  TokenIssued,
  TokenSeen,
} from '../contracts/index.js';
import { present, SEVERITY, STATUS, type Body, type Json } from './event.js';
import {
  applicationAsUser,
  milliseconds,
  OAUTH,
  scopesOf,
  tokenId,
  UNKNOWN_USER,
  userOf,
  type Subject,
} from './names.js';

/** OCSF has no type for an ID-JAG: 99 is "Other", and `type` names it. */
const ID_JAG = { type_id: 99, type: 'ID-JAG' } as const;

type Asked = Pick<
  IdJagIssued,
  'iss' | 'tenant' | 'aud' | 'resource' | 'scope' | 'sid' | 'agent' | 'act' | 'decision_id'
> & {
  readonly sub?: string;
  readonly client_id?: string;
  readonly idp_client_id: string;
};

/** An exchange at the IdP: the application asked for a ticket to the service that `aud` names. */
const exchange = (data: Asked): Body => ({
  class: 'Authentication',
  activity: 'Service Ticket Request',
  ...OAUTH,
  user: data.sub === undefined ? UNKNOWN_USER : userOf(data as Subject),
  actor: { app_uid: data.idp_client_id, idp: { uid: data.iss, issuer: data.iss } },
  service: { uid: data.aud[0] },
  session: data.sid === undefined ? undefined : { uid: data.sid, issuer: data.iss },
  unmapped: present({
    aud: data.aud,
    resource: data.resource,
    scope: data.scope,
    client_id: data.client_id,
    agent: data.agent,
    act: data.act,
    decision_id: data.decision_id,
  }),
});

const failed = (error: string, reason: string | undefined): Json => ({
  severity_id: SEVERITY.low,
  status_id: STATUS.failure,
  status_code: error,
  status_detail: reason,
});

export const idJagIssued = (data: IdJagIssued): Body => ({
  ...exchange(data),
  status_id: STATUS.success,
  authentication_token: {
    ...ID_JAG,
    uid: data.jti,
    created_time: milliseconds(data.iat),
    expiration_time: milliseconds(data.exp),
  },
});

export const idJagDenied = (data: IdJagDenied): Body => ({ ...exchange(data), ...failed(data.error, data.reason) });

/** The user of a token: whom the IdP named, else the server's own user, else the application itself. */
function userOfToken({ iss, sub, tenant, client_id: client, id_jag: idJag }: Omit<TokenIssued, 'kind'>): Json {
  if (idJag?.sub !== undefined) return { ...userOf(idJag as Subject), ...(sub === undefined ? {} : { uid_alt: sub }) };
  return sub === undefined ? applicationAsUser(iss, client) : userOf({ iss, sub, tenant });
}

/** A token that was issued, or that Rescind saw first. */
export function tokenIssued(data: TokenIssued | TokenSeen): Body {
  const { kind = 'access', parent, id_jag: idJag, agent, ...facts } = data as TokenIssued;
  return {
    class: 'Authorize Session',
    activity: 'Assign Privileges',
    status_id: STATUS.success,
    user: userOfToken(data as TokenIssued),
    actor: { app_uid: facts.client_id, idp: idJag === undefined ? undefined : { uid: idJag.iss, issuer: idJag.iss } },
    privileges: scopesOf(facts.scope),
    session: {
      uid: tokenId(facts),
      issuer: facts.iss,
      created_time: milliseconds(facts.iat),
      ...(facts.exp === undefined ? {} : { expiration_time: milliseconds(facts.exp) }),
    },
    unmapped: present({ kind, aud: facts.aud, resource: facts.resource, id_jag: idJag, parent, agent, act: facts.act }),
  };
}

/** `Authorize Session` would need the privileges that were not given, so a refusal is a failed request for a ticket. */
export const tokenDenied = (data: TokenDenied): Body => ({
  class: 'Authentication',
  activity: 'Service Ticket Request',
  ...OAUTH,
  ...failed(data.error, data.reason),
  user: data.id_jag.sub === undefined ? UNKNOWN_USER : userOf(data.id_jag as Subject),
  actor: present({ app_uid: data.client_id, idp: { uid: data.id_jag.iss, issuer: data.id_jag.iss } }),
  service: { uid: data.iss },
  authentication_token: present({ ...ID_JAG, uid: tokenId(data.id_jag) }),
  unmapped: present({ id_jag: data.id_jag, aud: data.aud, resource: data.resource, scope: data.scope }),
});

export const sessionEnded = (data: SessionEnded): Body => ({
  class: 'Authentication',
  activity: 'Logoff',
  status_id: STATUS.success,
  user: userOf(data),
  service: { uid: data.iss },
  session: data.sid === undefined ? undefined : { uid: data.sid, issuer: data.iss },
});
