import { Type, type TSchema } from 'typebox';

/** Characters of an identifier; ingest also refuses identifiers over this many bytes of UTF-8, which a schema cannot count. */
export const MAX_IDENTIFIER_LENGTH = 512;
/** JSON Schema's pattern for a text without U+0000, which PostgreSQL cannot store. */
export const NO_NUL = '^[^\\u0000]*$';
/** The same, for a text that has more than white space. */
export const NOT_BLANK = '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$';
/** 2000-01-01T00:00:00Z in seconds; a smaller number is a mistaken unit, not a time. */
export const MIN_TIME_SECONDS = 946_684_800;
/** 2100-01-01T00:00:00Z in seconds. */
export const MAX_TIME_SECONDS = 4_102_444_800;
/** Values of `aud`, `resource` or `amr`: as many as a token's set of one dimension may have. */
export const MAX_VALUES = 8;
/** Characters of a `scope`; longer ones are refused. */
export const MAX_SCOPE_LENGTH = 4_096;
/** Scopes in one `scope`; more are refused. A longer list (4,096 characters can name 819 scopes) would make comparing scopes too slow. */
export const MAX_SCOPES = 100;
/** Characters of one scope, which are ASCII by its grammar: short enough for every index. */
export const MAX_ONE_SCOPE_LENGTH = 256;
/** Characters of a `reason`, `error`, `route`; longer ones are refused. */
export const MAX_TEXT_LENGTH = 1_024;
/** Characters of a raw `path`, which stays in the payload; longer ones are refused. */
export const MAX_PATH_LENGTH = 8_192;
/** Actors in one `act` chain (RFC 8693, 4.1), the outermost included; deeper chains are refused. */
export const MAX_ACTOR_DEPTH = 8;
/** Clients at resource authorization servers that one `client.*` event may name. */
export const MAX_RAS_CLIENTS = 64;

/** A name from outside: compared byte for byte, never normalised. */
export const Identifier = Type.String({ minLength: 1, maxLength: MAX_IDENTIFIER_LENGTH });
export const Text = Type.String({ minLength: 1, maxLength: MAX_TEXT_LENGTH });
export const Path = Type.String({ minLength: 1, maxLength: MAX_PATH_LENGTH });
export const Seconds = Type.Integer({ minimum: MIN_TIME_SECONDS, maximum: MAX_TIME_SECONDS });
export const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const PositiveCount = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** An index, seq or offset as a decimal string, because a JSON number is floating point. */
export const Position = Type.String({ pattern: '^(?:0|[1-9][0-9]{0,18})$' });

// SHA-256 in 43 characters, which carry 258 bits. The last two bits must be zero, or one digest would have four spellings (RFC 4648, 3.5).
export const DIGEST_PATTERN = '^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$';
export const Digest = Type.String({
  pattern: DIGEST_PATTERN,
  description: 'SHA-256, base64url without padding, whose last character has its two unused bits zero',
});

const SCOPE_TOKEN = `[!#-\\[\\]-~]{1,${MAX_ONE_SCOPE_LENGTH}}`;
export const SCOPE_PATTERN = `^(?:${SCOPE_TOKEN}(?: ${SCOPE_TOKEN}){0,${MAX_SCOPES - 1}})?$`;
/** RFC 6749, 3.3. An empty scope says that nothing was granted. */
export const Scope = Type.String({
  maxLength: MAX_SCOPE_LENGTH,
  pattern: SCOPE_PATTERN,
  description: `at most ${MAX_SCOPES} scopes, each of at most ${MAX_ONE_SCOPE_LENGTH} characters, separated by single spaces`,
});

export const Audience = Type.Array(Identifier, { minItems: 1, maxItems: MAX_VALUES, uniqueItems: true });
/** Audiences of a token. The list may be empty, because the source's profile may have a default resource. */
export const TokenAudience = Type.Array(Identifier, { maxItems: MAX_VALUES, uniqueItems: true });
export const Resources = Type.Array(Identifier, { maxItems: MAX_VALUES, uniqueItems: true });
export const AuthenticationMethods = Type.Array(Identifier, { maxItems: MAX_VALUES, uniqueItems: true });

export const Kind = Type.Enum(['access', 'refresh']);
export const Operation = Type.Enum(['read', 'write', 'delete', 'export', 'admin']);
export const Outcome = Type.Enum(['allowed', 'denied']);

/** An actor (RFC 8693, 4.1); `act` is the previous actor. Other claims of an issuer are kept unchanged. */
export interface Actor {
  iss?: string;
  sub?: string;
  client_id?: string;
  act?: Actor;
  [claim: string]: unknown;
}

const otherClaim = { type: ['string', 'number', 'boolean'], maxLength: MAX_TEXT_LENGTH };

function actorSchema(depth: number): TSchema {
  return Type.Unsafe<Actor>({
    type: 'object',
    properties: {
      iss: Identifier,
      sub: Identifier,
      client_id: Identifier,
      act: depth === 1 ? false : actorSchema(depth - 1),
    },
    additionalProperties: otherClaim,
    maxProperties: 16,
    description: `an actor; at most ${MAX_ACTOR_DEPTH} in the chain`,
  });
}
export const ActorChain = Type.Unsafe<Actor>(actorSchema(MAX_ACTOR_DEPTH));

export interface Confirmation {
  jkt?: string;
  'x5t#S256'?: string;
  [member: string]: unknown;
}

/** RFC 7800 confirmation with the members of RFC 9449 (`jkt`) and RFC 8705 (`x5t#S256`). Other members of an issuer are kept unchanged. */
export const Confirmation = Type.Unsafe<Confirmation>({
  type: 'object',
  properties: { jkt: Digest, 'x5t#S256': Digest },
  additionalProperties: otherClaim,
  maxProperties: 16,
  anyOf: [{ required: ['jkt'] }, { required: ['x5t#S256'] }],
  description: 'jkt or x5t#S256',
});

/** An agent; `id` comes from the IdP, `type` is a bare string. */
export const Agent = Type.Object(
  { id: Type.Optional(Identifier), type: Type.Optional(Identifier) },
  { additionalProperties: false, minProperties: 1, description: 'id, type or both' },
);

/** Identity of a token: (issuer, `jti`), or a digest. The member that is present says which. */
export type TokenReference =
  | { iss: string; jti: string; sha256?: undefined; signing_input_sha256?: undefined }
  | { sha256: string; iss?: undefined; jti?: undefined; signing_input_sha256?: undefined }
  | { signing_input_sha256: string; iss?: undefined; jti?: undefined; sha256?: undefined };

export const TokenIdentity = Type.Unsafe<TokenReference>({
  type: 'object',
  properties: { iss: Identifier, jti: Identifier, sha256: Digest, signing_input_sha256: Digest },
  additionalProperties: false,
  oneOf: [
    { required: ['iss', 'jti'], maxProperties: 2 },
    { required: ['sha256'], maxProperties: 1 },
    { required: ['signing_input_sha256'], maxProperties: 1 },
  ],
  description: 'exactly one of {iss, jti}, {sha256} and {signing_input_sha256}',
});

/** The token from which a token came; for an ID-JAG, the token that was exchanged for it. */
export type ParentReference =
  | { iss: string; jti: string; sha256?: undefined }
  | { sha256: string; iss?: undefined; jti?: undefined };

export const Parent = Type.Unsafe<ParentReference>({
  type: 'object',
  properties: { iss: Identifier, jti: Identifier, sha256: Digest },
  additionalProperties: false,
  oneOf: [
    { required: ['iss', 'jti'], maxProperties: 2 },
    { required: ['sha256'], maxProperties: 1 },
  ],
  description: 'exactly one of {iss, jti} and {sha256}',
});

/** Number of the event at its source; optional on everything that a source says. */
export const Sequence = Type.Optional(
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'per source, dense; a gap is a finding' }),
);
