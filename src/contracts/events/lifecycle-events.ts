import { Type, type Static } from 'typebox';
import { nameKey, sourceEvent } from './declaration.js';
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

type Does = 'block' | 'lift';
const ofIdp = { speaker: 'idp', bounds: ['issuers'] } as const;
const ofUser = (does: Does) =>
  sourceEvent({
    ...ofIdp,
    data: UserChanged,
    key: ({ iss, sub }) => nameKey(iss, sub),
    rule: { does, names: 'user' },
  });
const ofClient = (does: Does) =>
  sourceEvent({
    ...ofIdp,
    data: ClientChanged,
    key: ({ iss, idp_client_id: client }) => nameKey(iss, client),
    rule: { does, names: 'client' },
  });
const ofConnection = (does: Does) =>
  sourceEvent({
    ...ofIdp,
    data: ConnectionChanged,
    key: ({ iss, idp_client_id: client }) => nameKey(iss, client),
    rule: { does, names: 'connection' },
  });

/** A new or changed connection lifts the block that its deletion ordered. */
export const LIFECYCLE_EVENTS = {
  'session.ended': sourceEvent({
    ...ofIdp,
    data: SessionEnded,
    key: ({ iss, sid, sub }) => nameKey(iss, sid ?? sub),
    rule: { does: 'revoke', names: 'session' },
  }),
  'user.disabled': ofUser('block'),
  'client.disabled': ofClient('block'),
  'connection.deleted': ofConnection('block'),
  'user.enabled': ofUser('lift'),
  'client.enabled': ofClient('lift'),
  'connection.created': ofConnection('lift'),
  'connection.updated': ofConnection('lift'),
};
