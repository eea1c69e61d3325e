import { Type, type Static, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import {
  MAX_IDENTIFIER_LENGTH,
  nameSchemas,
  NO_NUL,
  RescindError,
  SIGNING_ALGORITHMS,
  SOURCE_EVENT_NAMES,
  TIME_FORMS,
  timeInput,
  TOKEN_PROFILE_PRESETS,
  type TimeInput,
} from '../contracts/index.js';

/** Values of one bound or one list of a source; more are refused. */
const MAX_VALUES = 1_000;
/** Client pairs of one `revoke-own` role: revoking an unknown token makes one rule for each pair. */
const MAX_OWN_CLIENTS = 100;
/** Longest lifetime that a profile may allow, in seconds: no lineage is older (design, section 4, `max_lineage_age`). */
const MAX_TOKEN_LIFETIME_S = 30 * 86_400;
/** Seconds. A clock that differs by more needs repair, not tolerance. */
const MAX_SKEW_S = 300;

export const NAME_PATTERN = '^[a-z0-9-]{1,63}$';
const closed = { additionalProperties: false } as const;
const Name = Type.String({ pattern: NAME_PATTERN, description: '1 to 63 characters of a-z, 0-9 and -' });
const Identifier = Type.String({ minLength: 1, maxLength: MAX_IDENTIFIER_LENGTH, pattern: NO_NUL });
const Identifiers = Type.Array(Identifier, { maxItems: MAX_VALUES, uniqueItems: true });
const SomeIdentifiers = Type.Array(Identifier, { minItems: 1, maxItems: MAX_VALUES, uniqueItems: true });
const Future = Type.Unsafe<TimeInput>(timeInput('a time in the future; a duration counts onwards from now'));

export const ISSUERS_OF_TENANT =
  'Issuers that the tenant’s sources may speak for. Absent: all issuers that no other tenant has.';
export const TenantInput = Type.Object(
  {
    name: Name,
    admin: Type.Optional(Name),
    issuers: Type.Optional(
      Type.Array(Identifier, {
        maxItems: MAX_VALUES,
        uniqueItems: true,
        description: ISSUERS_OF_TENANT,
      }),
    ),
  },
  closed,
);
export type TenantInput = Static<typeof TenantInput>;

/** `typ` values, identity claims or ignored audiences of one profile. */
const MAX_PROFILE_VALUES = 32;
const Demand = Type.Enum(['stated', 'confirmed', 'none']);
const ProfileIdentifiers = Type.Array(Identifier, { maxItems: MAX_PROFILE_VALUES, uniqueItems: true });

const ProfileInput = Type.Object(
  {
    preset: Type.Optional(
      Type.Enum([...TOKEN_PROFILE_PRESETS], {
        description: 'The product that issues the tokens. The other members override what the preset sets.',
      }),
    ),
    lineage: Type.Optional(
      Type.Union([Demand, Type.Object({ id_jag: Type.Optional(Demand), other: Type.Optional(Demand) }, closed)], {
        description:
          'What a token’s lineage needs: stated, confirmed or none; or {id_jag, other}, for tokens that came from an ID-JAG and for other tokens.',
      }),
    ),
    max_token_lifetime: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_TOKEN_LIFETIME_S, description: 'seconds' }),
    ),
    skew: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_SKEW_S, description: 'seconds' })),
    typ: Type.Optional(
      Type.Union(
        [
          Identifier,
          Type.Array(Type.Union([Identifier, Type.Null()]), {
            minItems: 1,
            maxItems: MAX_PROFILE_VALUES,
            uniqueItems: true,
          }),
        ],
        {
          description:
            'Allowed values of the header `typ`: one, or a list in which null stands for a header without `typ`.',
        },
      ),
    ),
    claims: Type.Optional(
      Type.Object(
        { client_id: Type.Optional(Identifier) },
        { ...closed, description: 'The claim that names the client, instead of client_id, azp, cid or appid.' },
      ),
    ),
    identity: Type.Optional({
      ...ProfileIdentifiers,
      description:
        'Claims that can identify a JWT: the first one that is present counts. []: the signing input identifies the JWT.',
    }),
    default_resource: Type.Optional({
      ...Identifier,
      description: 'The resource of a token whose `aud` is absent or names only ignored_audiences.',
    }),
    ignored_audiences: Type.Optional({ ...ProfileIdentifiers, description: 'Audiences that stand for no resource.' }),
    announced: Type.Optional(
      Type.Enum(['required', 'optional'], {
        description:
          'optional: a JWT that no event announced is recorded by its own claims when it is first seen. Needs `lineage.other` none.',
      }),
    ),
    algorithms: Type.Optional(Type.Array(Type.Enum([...SIGNING_ALGORITHMS]), { minItems: 1, uniqueItems: true })),
  },
  closed,
);

export type ProfileInput = Static<typeof ProfileInput>;

const sourceMembers = {
  types: Type.Array(Type.Enum([...SOURCE_EVENT_NAMES]), { minItems: 1, uniqueItems: true }),
  issuers: Type.Optional(Identifiers),
  resources: Type.Optional(Identifiers),
  jwks: Type.Optional(
    Type.Object(
      { keys: Type.Array(Type.Record(Type.String(), Type.Unknown()), { minItems: 1 }) },
      { ...closed, description: 'RFC 7517, public keys only' },
    ),
  ),
  jwks_uri: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 2_048,
      description: 'An https URL, or an http URL at a loopback host that JWKS_ALLOWED_HOSTS names.',
    }),
  ),
  topic: Type.Optional(
    Type.String({ pattern: '^rescind\\.events\\.[a-z0-9-]{1,63}$', description: 'rescind.events.<name>' }),
  ),
  profile: Type.Optional(ProfileInput),
  signature: Type.Optional(
    Type.Enum(['required', 'optional'], {
      description:
        'required: the source signs its events, and an unsigned one is refused; needs `jwks` or `jwks_uri`. Default: optional for a new source; a change without the member leaves it as it is.',
    }),
  ),
};
export const SourceInput = Type.Object({ name: Name, uri: Identifier, ...sourceMembers }, closed);
export type SourceInput = Static<typeof SourceInput>;

const Unchanged = Type.Optional({
  ...Identifier,
  description: 'As the source has it: it cannot change, and is taken so that an answer can be sent back.',
});

export const SourceUpdate = Type.Object(
  {
    id: Unchanged,
    tenant: Unchanged,
    name: Unchanged,
    uri: Unchanged,
    audience: Unchanged,
    ...sourceMembers,
    disabled: Type.Optional(Type.Boolean()),
  },
  closed,
);
export type SourceUpdate = Static<typeof SourceUpdate>;

const IssuerClientInput = Type.Object({ iss: Identifier, client_id: Identifier }, closed);
const Nothing = Type.Object({}, closed);

const AskingInput = Type.Object(
  { resources: SomeIdentifiers, issuers: SomeIdentifiers, wait: Type.Optional(Type.Boolean()) },
  closed,
);

export const RolesInput = Type.Object(
  {
    emit: Type.Optional(
      Type.Object({ sources: Type.Array(Name, { minItems: 1, maxItems: MAX_VALUES, uniqueItems: true }) }, closed),
    ),
    introspect: Type.Optional(AskingInput),
    guard: Type.Optional(AskingInput),
    'revoke-own': Type.Optional(
      Type.Object(
        { clients: Type.Array(IssuerClientInput, { minItems: 1, maxItems: MAX_OWN_CLIENTS, uniqueItems: true }) },
        closed,
      ),
    ),
    revoke: Type.Optional(
      Type.Union(
        [
          Type.Object({ tenant: Type.Literal(true) }, closed),
          Type.Object({ issuers: Identifiers, resources: Identifiers }, closed),
        ],
        {
          description: '{tenant: true}, or {issuers, resources}: a selector must name one of them',
        },
      ),
    ),
    audit: Type.Optional(
      Type.Object(
        {
          payloads: Type.Optional(
            Type.Literal(false, {
              description:
                'No payloads of entries and refused records, no addresses and networks of clients, and no exports. Absent: they are shown.',
            }),
          ),
        },
        closed,
      ),
    ),
    admin: Type.Optional(Nothing),
  },
  { ...closed, description: 'Each role has its own bounds. An absent role grants nothing.' },
);
export type RolesInput = Static<typeof RolesInput>;

export const CallerInput = Type.Object({ id: Name, roles: RolesInput, expires_at: Type.Optional(Future) }, closed);
export type CallerInput = Static<typeof CallerInput>;
export const CallerUpdate = Type.Object({ roles: RolesInput, disabled: Type.Optional(Type.Boolean()) }, closed);
export type CallerUpdate = Static<typeof CallerUpdate>;
export const SecretInput = Type.Object({ expires_at: Type.Optional(Future) }, closed);
export type SecretInput = Static<typeof SecretInput>;

nameSchemas({
  TenantInput,
  ProfileInput,
  SourceInput,
  SourceUpdate,
  RolesInput,
  CallerInput,
  CallerUpdate,
  SecretInput,
});

/** Creates a reader of input from outside. It returns the input if it fits the schema, else throws `invalid-request`. */
/** Reads input by a schema. A string has at most `maxBytes` in UTF-8. */
export function createReader<S extends TSchema>(
  schema: S,
  maxBytes = MAX_IDENTIFIER_LENGTH,
): (input: unknown) => Static<S> {
  const validator = Compile(schema);
  return (input) => {
    if (validator.Check(input)) {
      checkStrings(input, '', maxBytes);
      return input as Static<S>;
    }
    const errors = validator.Errors(input);
    // Branches of a union fail without being at fault, and a refused member fails twice.
    const own = errors.filter(({ schemaPath, keyword }) => !/\/anyOf\/\d+/.test(schemaPath) && keyword !== 'boolean');
    const error = own.find(({ keyword }) => keyword === 'additionalProperties') ?? own[0] ?? errors[0];
    const at =
      error === undefined || error.instancePath === ''
        ? 'the body'
        : `\`${error.instancePath.slice(1).replaceAll('/', '.')}\``;
    if (at === '`expires_at`') throw new RescindError('invalid-request', { detail: `${at} must be ${TIME_FORMS}` });
    throw new RescindError('invalid-request', { detail: `${at} ${describe(error)}` });
  };
}

type Problem = ReturnType<ReturnType<typeof Compile>['Errors']>[number];

function describe(error: Problem | undefined): string {
  switch (error?.keyword) {
    case 'additionalProperties':
      return `has an unknown member: ${error.params.additionalProperties.map((name) => String(name).slice(0, 64)).join(', ')}`;
    case 'required':
      return `lacks ${error.params.requiredProperties.join(', ')}`;
    case 'enum':
      return `must be one of ${error.params.allowedValues.map(String).join(', ')}`;
    default:
      return error?.message ?? 'is malformed';
  }
}

/**
 * Refuses strings that PostgreSQL would refuse later, and identifiers that are too long in bytes. Key material has its own, larger limits.
 */
function checkStrings(value: unknown, path: string, maxBytes: number): void {
  if (typeof value === 'string') {
    if (value.includes('\0') || !value.isWellFormed()) {
      throw new RescindError('invalid-request', { detail: `\`${path}\` holds a NUL or a lone surrogate` });
    }
    if (!path.startsWith('jwks') && Buffer.byteLength(value) > maxBytes) {
      throw new RescindError('invalid-request', { detail: `\`${path}\` is over ${maxBytes} bytes` });
    }
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (name.includes('\0') || !name.isWellFormed())
      throw new RescindError('invalid-request', { detail: 'a member name is malformed' });
    checkStrings(member, path === '' ? name : `${path}.${name}`, maxBytes);
  }
}
