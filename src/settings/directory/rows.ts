import { MAX_IDENTIFIER_LENGTH, RescindError } from '../../contracts/index.js';
import type { DirectoryKind } from '../../query/index.js';
import { userParts, type Parts } from '../../rules/index.js';

/** An entry as it is given: a kind, the parts of its name, and what people read. */
export interface DirectoryRow {
  readonly kind: DirectoryKind;
  readonly parts: Parts;
  readonly display_name: string | null;
  readonly user_name: string | null;
  readonly emails: readonly string[];
  readonly active: boolean | null;
  readonly owner: string | null;
  readonly team: string | null;
}

/** The name of an entry, as paths, columns and members give it. */
export interface DirectoryName {
  readonly iss?: unknown;
  readonly tenant?: unknown;
  readonly id?: unknown;
}

export type Members = Readonly<Record<string, unknown>>;

const MAX_EMAILS = 20;
const CONTROLS = '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029';
const ADDRESS = /^[^\s@]+@[^\s@]+$/;

/** A name in a path, a parameter or a member. */
export const NAME = {
  type: 'string',
  minLength: 1,
  maxLength: MAX_IDENTIFIER_LENGTH,
  pattern: `^[^${CONTROLS}]+$`,
} as const;
const orNothing = (schema: object) => ({ anyOf: [schema, { type: 'null' }] });
const SAID = { ...NAME, minLength: 0, pattern: `^[^${CONTROLS}]*$` } as const;
const EMAIL = { ...NAME, pattern: `^[^\\s@${CONTROLS}]+@[^\\s@${CONTROLS}]+$` } as const;
const said = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, orNothing(SAID)]));
const saysOne = (members: Readonly<Record<string, object>>) => ({
  anyOf: Object.entries(members).map(([name, schema]) => ({ required: [name], properties: { [name]: schema } })),
});

/** JSON Schema of the members of a client or agent. */
export const OWNED = {
  type: 'object',
  title: 'DirectoryNames',
  properties: said(['display_name', 'owner', 'team']),
  additionalProperties: false,
  ...saysOne({ display_name: NAME, owner: NAME, team: NAME }),
};
export const EMAILS = { type: 'array', maxItems: MAX_EMAILS, items: EMAIL } as const;
const named = { iss: NAME, id: NAME };
/** A file has the same columns for every kind, so members of another kind may be there, empty. */
const EMPTY = { enum: [null, ''] };
const EMPTY_OF_USERS = {
  tenant: EMPTY,
  user_name: EMPTY,
  emails: { anyOf: [{ type: 'null' }, { type: 'array', maxItems: 0 }] },
  active: { type: 'null' },
};

/** JSON Schema of an entry of a JSON file. */
export const ENTRY = {
  oneOf: [
    {
      type: 'object',
      title: 'UserEntry',
      required: ['kind', 'iss', 'id'],
      properties: {
        kind: { type: 'string', enum: ['user'] },
        ...named,
        tenant: orNothing(SAID),
        ...said(['display_name', 'user_name']),
        emails: orNothing(EMAILS),
        active: { type: ['boolean', 'null'] },
        owner: EMPTY,
        team: EMPTY,
      },
      additionalProperties: false,
      ...saysOne({ display_name: NAME, user_name: NAME, emails: { ...EMAILS, minItems: 1 } }),
    },
    {
      ...OWNED,
      title: 'ClientOrAgentEntry',
      required: ['kind', 'iss', 'id'],
      properties: {
        kind: { type: 'string', enum: ['client', 'agent'] },
        ...named,
        ...OWNED.properties,
        ...EMPTY_OF_USERS,
      },
    },
  ],
};

/** Checks an entry. Throws a `TypeError` whose message says what is wrong, for a line of a report or a problem. */
export function readRow(kind: DirectoryKind, { iss, tenant, id }: DirectoryName, members: Members): DirectoryRow {
  const name = { iss: text('iss', iss), sub: text('id', id), tenant: readText('tenant', tenant) ?? undefined };
  if (kind !== 'user' && name.tenant !== undefined) fail('`tenant` belongs to users');
  const [foreign, whose] =
    kind === 'user' ? [['owner', 'team'], 'clients and agents'] : [['user_name', 'emails', 'active'], 'users'];
  for (const member of foreign)
    if (isGiven(members[member]) && !isEmptyList(members[member])) fail(`\`${member}\` belongs to ${whose}`);
  const row: DirectoryRow = {
    kind,
    parts: kind === 'user' ? userParts(name) : [name.iss, name.sub],
    display_name: readText('display_name', members['display_name']),
    user_name: readText('user_name', members['user_name']),
    emails: emailsOf(members['emails']),
    active: booleanOf('active', members['active']),
    owner: readText('owner', members['owner']),
    team: readText('team', members['team']),
  };
  const { display_name, user_name, emails, owner, team } = row;
  if ([display_name, user_name, owner, team].every((value) => value === null) && emails.length === 0)
    fail('says nothing: give at least one name, email, owner or team');
  return row;
}

/** Reads the members of a client or agent. Throws a `TypeError`. */
export function readOwned(body: unknown): Members {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) fail('the body is an object');
  const known = Object.keys(OWNED.properties);
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown !== undefined) fail(`\`${unknown.slice(0, 64)}\` is none of ${known.join(', ')}`);
  return body as Members;
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

function emailsOf(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) fail('`emails` is a list of addresses');
  if (value.length > MAX_EMAILS) fail(`\`emails\` has over ${MAX_EMAILS} addresses`);
  const emails = value.map((email) => text('emails', email));
  for (const email of emails) if (!ADDRESS.test(email)) fail('`emails` holds what is no address');
  return [...new Set(emails.map((email) => email.toLowerCase()))].sort();
}

function booleanOf(name: string, value: unknown): boolean | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'boolean') fail(`\`${name}\` is true or false`);
  return value;
}

/** Null for a member that is not given. Throws a `TypeError`. */
export const readText = (name: string, value: unknown): string | null => (isGiven(value) ? text(name, value) : null);

function text(name: string, value: unknown): string {
  if (!isGiven(value)) fail(`\`${name}\` is missing`);
  if (typeof value !== 'string') fail(`\`${name}\` is a text`);
  if (/[\p{Cc}\u2028\u2029]/u.test(value) || !value.isWellFormed())
    fail(`\`${name}\` holds a control character or a lone surrogate`);
  if (Buffer.byteLength(value) > MAX_IDENTIFIER_LENGTH) fail(`\`${name}\` is over ${MAX_IDENTIFIER_LENGTH} bytes`);
  return value;
}

export function fail(message: string): never {
  throw new TypeError(message);
}

/** Runs a reader of one entry and turns its `TypeError` into `invalid-request`. */
export function orInvalid<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof TypeError) throw new RescindError('invalid-request', { detail: error.message });
    throw error;
  }
}
