import { Type, type Static } from 'typebox';
import { identityKey, sourceEvent } from './declaration.js';
import {
  Count,
  Identifier,
  Operation,
  Outcome,
  Path,
  PositiveCount,
  Resources,
  Scope,
  Seconds,
  Sequence,
  Text,
  TokenIdentity,
} from './event-members.js';

const Status = Type.Integer({ minimum: 100, maximum: 599 });

const accessed = {
  token: TokenIdentity,
  operation: Operation,
  route: Type.Optional(Text),
  resource: Type.Optional(Resources),
  scope: Type.Optional(Scope),
  status: Type.Optional(Status),
  records: Type.Optional(Count),
  bytes: Type.Optional(Count),
  client_address: Type.Optional(Identifier),
};

const oneCall = {
  ...accessed,
  path: Type.Optional(Path),
  trace_id: Type.Optional(Identifier),
};

/** Data of `access.allowed`: a resource server served a call. */
export const AccessAllowed = Type.Object({ ...oneCall, sequence: Sequence }, { additionalProperties: false });
export type AccessAllowed = Static<typeof AccessAllowed>;

/** Data of `access.denied`: a resource server refused a call that came with a token. */
export const AccessDenied = Type.Object(
  { ...oneCall, error: Type.Optional(Text), reason: Type.Optional(Text), sequence: Sequence },
  { additionalProperties: false },
);
export type AccessDenied = Static<typeof AccessDenied>;

/**
 * Data of `access.summary`: equal calls over a window, for servers that cannot afford an event a call. `from` and `to` are the first and
 * last call.
 */
export const AccessSummary = Type.Object(
  { ...accessed, outcome: Outcome, count: PositiveCount, from: Seconds, to: Seconds, sequence: Sequence },
  { additionalProperties: false },
);
export type AccessSummary = Static<typeof AccessSummary>;

const ofUse = <S extends typeof AccessAllowed | typeof AccessDenied | typeof AccessSummary>(data: S) =>
  sourceEvent({
    data,
    speaker: 'resource-server',
    bounds: ['resources'],
    key: ({ token }: Static<typeof AccessAllowed>) => identityKey(token),
  });

export const ACCESS_EVENTS = {
  'access.allowed': ofUse(AccessAllowed),
  'access.denied': ofUse(AccessDenied),
  'access.summary': ofUse(AccessSummary),
};
