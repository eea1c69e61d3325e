import { Type, type Static, type TSchema } from 'typebox';
import {
  DIGEST_PATTERN,
  Identifier,
  MAX_IDENTIFIER_LENGTH,
  NO_NUL,
  Parent,
  TokenIdentity,
} from './events/event-members.js';
import { implies } from './json-schema.js';

/** Members of one selector. Rules are found by the product of a token's names, so more would make a check too slow. */
export const MAX_SELECTOR_MEMBERS = 4;
/** Further values that one member may have in a rule. */
const MAX_OTHER_VALUES = 128;

const closed = { additionalProperties: false } as const;
const ClientName = Type.Object({ iss: Identifier, client_id: Identifier }, closed);

type ByJti = { readonly iss: string; readonly jti: string };
type ByDigest = { readonly sha256: string };
/** How a token is named: by its issuer and `jti`, or by a digest. The member that is present says which. */
export type TokenRef = ByJti | ByDigest | { readonly signing_input_sha256: string };

/** Names that a rule can select by. The rules folder has a dimension for each, in this order, and decides by its keys: only append. */
const members = {
  token: Type.Unsafe<TokenRef>(TokenIdentity),
  id_jag: Type.Unsafe<ByJti | ByDigest>(Parent),
  session: Type.Object({ iss: Identifier, sid: Identifier }, closed),
  user: Type.Object({ iss: Identifier, tenant: Type.Optional(Identifier), sub: Identifier }, closed),
  client: ClientName,
  agent: Type.Object({ iss: Identifier, id: Identifier }, closed),
  agent_type: Identifier,
  resource: Identifier,
  issuer: Identifier,
};

export type SelectorMember = keyof typeof members;

export const SELECTOR_MEMBERS = Object.keys(members) as readonly SelectorMember[];

/** Members whose values are never granted anew: what is revoked by one of them stays revoked. */
export const IDENTITY_MEMBERS = ['token', 'id_jag', 'session'] as const satisfies readonly SelectorMember[];

/** A conjunction of names, or everything. The single source of the selector's type, of its parser's shapes and of its documentation. */
export const Selector = Type.Object(
  { ...Type.Partial(Type.Object(members)).properties, all: Type.Optional(Type.Literal(true)) },
  {
    ...closed,
    minProperties: 1,
    maxProperties: MAX_SELECTOR_MEMBERS,
    description: `1 to ${MAX_SELECTOR_MEMBERS} dimensions`,
  },
);
export type Selector = Readonly<Static<typeof Selector>>;

const otherValues = <S extends TSchema>(value: S) =>
  Type.Optional(Type.Array(value, { minItems: 1, maxItems: MAX_OTHER_VALUES }));

export const OtherValues = Type.Object(
  { client: otherValues(ClientName), resource: otherValues(Identifier) },
  { ...closed, minProperties: 1 },
);
type Others = Static<typeof OtherValues>;
/**
 * Further values of members that a selector names; a member matches if any of its values does. A connection has several resources
 * and its client several ids, and all their combinations belong to one rule.
 */
export type OtherValues = { readonly [M in keyof Others]: Readonly<Others[M]> };

/** One form of a member that is an object: the names that it has. */
export type SelectorForm = readonly (readonly [name: string, need: 'required' | 'optional'])[];

interface MemberSchema {
  readonly properties?: object;
  readonly required?: readonly string[];
  readonly oneOf?: readonly { readonly required: readonly string[] }[];
}

function formsOf({ properties, required = [], oneOf }: MemberSchema): readonly SelectorForm[] | undefined {
  if (oneOf !== undefined) return oneOf.map((form) => form.required.map((name) => [name, 'required'] as const));
  if (properties === undefined) return undefined;
  return [Object.keys(properties).map((name) => [name, required.includes(name) ? 'required' : 'optional'] as const)];
}

/** The forms that each member may have; undefined for a member that is one identifier. */
export const SELECTOR_FORMS = Object.fromEntries(
  SELECTOR_MEMBERS.map((member) => [member, formsOf(members[member] as MemberSchema)]),
) as Readonly<Record<SelectorMember, readonly SelectorForm[] | undefined>>;

const AskedIdentifier = { type: 'string', minLength: 1, maxLength: MAX_IDENTIFIER_LENGTH, pattern: NO_NUL } as const;
const AskedDigest = {
  type: 'string',
  pattern: DIGEST_PATTERN,
  description: 'SHA-256, base64url without padding',
} as const;

const askedForm = (form: SelectorForm) => ({
  type: 'object',
  properties: Object.fromEntries(form.map(([name]) => [name, name.endsWith('sha256') ? AskedDigest : AskedIdentifier])),
  required: form.filter(([, need]) => need === 'required').map(([name]) => name),
  additionalProperties: false,
});

function askedMember(member: SelectorMember): object {
  const [form, ...others] = SELECTOR_FORMS[member]?.map(askedForm) ?? [];
  if (form === undefined) return AskedIdentifier;
  return others.length === 0 ? form : { oneOf: [form, ...others] };
}

/**
 * JSON Schema of the selectors that a request may have: it says each form and the conditions between members. It counts characters, so it
 * allows a text that has too many bytes.
 */
export const SELECTOR_SCHEMA = {
  type: 'object',
  title: 'Selector',
  description: `A conjunction of at most ${MAX_SELECTOR_MEMBERS} members, or {"all": true}`,
  minProperties: 1,
  maxProperties: MAX_SELECTOR_MEMBERS,
  properties: {
    ...Object.fromEntries(SELECTOR_MEMBERS.map((member) => [member, askedMember(member)])),
    all: { type: 'boolean', enum: [true] },
  },
  additionalProperties: false,
  ...implies({ required: ['all'] }, { maxProperties: 1 }),
};
