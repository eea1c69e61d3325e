import { Type, type Static } from 'typebox';
import { Agent, Audience, Identifier, MAX_RAS_CLIENTS, Resources, Scope, Sequence } from './event-members.js';

/** Data of `session.ended`: an IdP session ended, or without `sid` all sessions of the user until the event's time. Becomes a `revoke`. */
export const SessionEnded = Type.Object(
  {
    iss: Identifier,
    sid: Type.Optional({ ...Identifier, description: 'absent: all sessions of the user until the time of the event' }),
    tenant: Type.Optional(Identifier),
    sub: Identifier,
    sequence: Sequence,
  },
  { additionalProperties: false },
);
export type SessionEnded = Static<typeof SessionEnded>;

/** Data of `user.disabled` and `user.enabled`. */
export const UserChanged = Type.Object(
  { iss: Identifier, tenant: Type.Optional(Identifier), sub: Identifier, sequence: Sequence },
  { additionalProperties: false },
);
export type UserChanged = Static<typeof UserChanged>;

const RasClient = Type.Object({ iss: Identifier, client_id: Identifier }, { additionalProperties: false });

/** Data of `client.disabled` and `client.enabled`. `ras` lets rules select tokens of sources that state no IdP client id. */
export const ClientChanged = Type.Object(
  {
    iss: Identifier,
    idp_client_id: Identifier,
    ras: Type.Array(RasClient, { maxItems: MAX_RAS_CLIENTS, uniqueItems: true }),
    sequence: Sequence,
  },
  { additionalProperties: false },
);
export type ClientChanged = Static<typeof ClientChanged>;

/** Data of `connection.created`, `.updated` and `.deleted`: what the IdP's administrators approved between two applications. */
export const ConnectionChanged = Type.Object(
  {
    iss: Identifier,
    tenant: Type.Optional(Identifier),
    idp_client_id: Identifier,
    aud: Audience,
    aud_tenant: Type.Optional(Identifier),
    client_id: Identifier,
    resource: Resources,
    scope: Scope,
    agent: Type.Optional(Agent),
    sequence: Sequence,
  },
  { additionalProperties: false },
);
export type ConnectionChanged = Static<typeof ConnectionChanged>;
