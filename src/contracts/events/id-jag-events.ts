import { Type, type Static } from 'typebox';
import { identityKey, nameKey, sourceEvent } from './declaration.js';
import {
  ActorChain,
  Agent,
  Audience,
  AuthenticationMethods,
  Confirmation,
  Digest,
  Identifier,
  Parent,
  Resources,
  Scope,
  Seconds,
  Sequence,
  Text,
} from './event-members.js';

/**
 * Data of `id-jag.issued`: the IdP issued an ID-JAG. Both client ids are required, because only the IdP knows both and no later event can
 * join them (open question D24).
 */
export const IdJagIssued = Type.Object(
  {
    iss: Identifier,
    jti: Identifier,
    sha256: Type.Optional(Digest),
    sub: Identifier,
    tenant: Type.Optional(Identifier),
    aud_tenant: Type.Optional(Identifier),
    aud_sub: Type.Optional(Identifier),
    client_id: Identifier,
    idp_client_id: Identifier,
    aud: Audience,
    resource: Type.Optional(Resources),
    scope: Type.Optional(Scope),
    iat: Seconds,
    exp: Seconds,
    auth_time: Type.Optional(Seconds),
    sid: Type.Optional(Identifier),
    acr: Type.Optional(Identifier),
    amr: Type.Optional(AuthenticationMethods),
    act: Type.Optional(ActorChain),
    cnf: Type.Optional(Confirmation),
    agent: Type.Optional(Agent),
    decision_id: Type.Optional(Identifier),
    parent: Type.Optional(Parent),
    sequence: Sequence,
  },
  { additionalProperties: false },
);
export type IdJagIssued = Static<typeof IdJagIssued>;

/** Data of `id-jag.denied`: the IdP refused the exchange. The subject may be unknown, because a bad subject token is a reason to refuse. */
export const IdJagDenied = Type.Object(
  {
    iss: Identifier,
    sub: Type.Optional(Identifier),
    tenant: Type.Optional(Identifier),
    aud_tenant: Type.Optional(Identifier),
    aud_sub: Type.Optional(Identifier),
    client_id: Type.Optional(Identifier),
    idp_client_id: Identifier,
    aud: Audience,
    resource: Type.Optional(Resources),
    scope: Type.Optional(Scope),
    auth_time: Type.Optional(Seconds),
    sid: Type.Optional(Identifier),
    acr: Type.Optional(Identifier),
    amr: Type.Optional(AuthenticationMethods),
    act: Type.Optional(ActorChain),
    agent: Type.Optional(Agent),
    decision_id: Type.Optional(Identifier),
    parent: Type.Optional(Parent),
    error: Text,
    reason: Type.Optional(Text),
    sequence: Sequence,
  },
  { additionalProperties: false },
);
export type IdJagDenied = Static<typeof IdJagDenied>;

export const ID_JAG_EVENTS = {
  'id-jag.issued': sourceEvent({ data: IdJagIssued, speaker: 'idp', bounds: ['issuers'], key: identityKey }),
  'id-jag.denied': sourceEvent({
    data: IdJagDenied,
    speaker: 'idp',
    bounds: ['issuers'],
    key: ({ iss, sub, idp_client_id: client }) => nameKey(iss, sub ?? client),
  }),
};
