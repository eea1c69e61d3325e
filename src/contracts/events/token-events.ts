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
  Kind,
  Parent,
  Resources,
  Scope,
  Seconds,
  Sequence,
  Text,
  TokenAudience,
} from './event-members.js';

/** The facts that the RAS verified in the ID-JAG. With them, rules on the IdP's user and agent match at once, whatever arrives later. */
export const PresentedIdJag = Type.Object(
  {
    iss: Identifier,
    jti: Type.Optional(Identifier),
    sha256: Type.Optional(Digest),
    sub: Type.Optional(Identifier),
    tenant: Type.Optional(Identifier),
    aud_tenant: Type.Optional(Identifier),
    aud_sub: Type.Optional(Identifier),
    client_id: Type.Optional(Identifier),
    iat: Type.Optional(Seconds),
    exp: Type.Optional(Seconds),
    auth_time: Type.Optional(Seconds),
    sid: Type.Optional(Identifier),
    act: Type.Optional(ActorChain),
    agent: Type.Optional(Agent),
  },
  {
    additionalProperties: false,
    // Servers that do not keep the ID-JAG's identity still know its subject.
    anyOf: [{ required: ['jti'] }, { required: ['sha256'] }, { required: ['sub'] }],
    description: 'iss, and jti, sha256 or sub',
  },
);
export type PresentedIdJag = Static<typeof PresentedIdJag>;

// Identity of a token. A JWT's text is not its identity, so `sha256` is for opaque tokens only and never stands beside a `jti`.
const identity = {
  jti: Type.Optional(Identifier),
  sha256: Type.Optional(Digest),
  signing_input_sha256: Type.Optional(Digest),
};
const exactlyOneIdentity = {
  oneOf: [{ required: ['jti'] }, { required: ['sha256'] }, { required: ['signing_input_sha256'] }],
  description: 'exactly one of jti, sha256 and signing_input_sha256',
};

/** Data of `token.issued`: the RAS issued a token. `iss` is the RAS's own issuer, also for opaque tokens. An access token has an `exp`. */
export const TokenIssued = Type.Object(
  {
    kind: Kind,
    iss: Identifier,
    ...identity,
    sub: Type.Optional(Identifier),
    tenant: Type.Optional(Identifier),
    aud_tenant: Type.Optional(Identifier),
    aud_sub: Type.Optional(Identifier),
    client_id: Identifier,
    aud: TokenAudience,
    resource: Type.Optional(Resources),
    scope: Type.Optional(Scope),
    iat: Seconds,
    exp: Type.Optional(Seconds),
    auth_time: Type.Optional(Seconds),
    sid: Type.Optional(Identifier),
    acr: Type.Optional(Identifier),
    amr: Type.Optional(AuthenticationMethods),
    act: Type.Optional(ActorChain),
    cnf: Type.Optional(Confirmation),
    agent: Type.Optional(Agent),
    parent: Type.Optional(Parent),
    id_jag: Type.Optional(PresentedIdJag),
    sequence: Sequence,
  },
  {
    additionalProperties: false,
    ...exactlyOneIdentity,
    if: { properties: { kind: { const: 'refresh' } } },
    else: { required: ['exp'] },
  },
);
export type TokenIssued = Static<typeof TokenIssued>;

/** Data of `token.denied`: the RAS refused an ID-JAG. */
export const TokenDenied = Type.Object(
  {
    iss: Identifier,
    id_jag: PresentedIdJag,
    client_id: Type.Optional(Identifier),
    aud: Type.Optional(Audience),
    resource: Type.Optional(Resources),
    scope: Type.Optional(Scope),
    error: Text,
    reason: Type.Optional(Text),
    sequence: Sequence,
  },
  { additionalProperties: false },
);
export type TokenDenied = Static<typeof TokenDenied>;

/** Data of `token.revoked`: the RAS revoked a token of its own. Becomes a rule. */
export const TokenRevoked = Type.Object(
  {
    iss: Identifier,
    ...identity,
    kind: Type.Optional(Kind),
    client_id: Type.Optional(Identifier),
    reason: Type.Optional(Text),
    sequence: Sequence,
  },
  { additionalProperties: false, ...exactlyOneIdentity },
);
export type TokenRevoked = Static<typeof TokenRevoked>;

export const TOKEN_EVENTS = {
  'token.issued': sourceEvent({
    data: TokenIssued,
    speaker: 'authorization-server',
    bounds: ['issuers', 'resources'],
    key: identityKey,
  }),
  'token.denied': sourceEvent({
    data: TokenDenied,
    speaker: 'authorization-server',
    bounds: ['issuers'],
    key: ({ id_jag: { sub, ...idJag } }) =>
      identityKey(idJag) ?? (sub === undefined ? undefined : nameKey(idJag.iss, sub)),
  }),
  'token.revoked': sourceEvent({
    data: TokenRevoked,
    speaker: 'authorization-server',
    bounds: ['issuers'],
    key: identityKey,
    rule: { does: 'revoke', names: 'token' },
  }),
};
