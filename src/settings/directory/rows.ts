import { MAX_IDENTIFIER_LENGTH, RescindError } from '../../contracts/index.js';
import { MAX_TAGS, TAG, type DirectoryKind } from '../../query/index.js';
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
  /** Null: not given, so that an entry keeps the tags that it has. */
  readonly tags: readonly string[] | null;
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
const TAG_FORM = new RegExp(TAG.pattern);
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

const TAGS = { type: 'array', maxItems: MAX_TAGS, items: TAG } as const;
/** JSON Schema of the member `tags`. */
export const TAGS_OR_NOTHING = {
  ...orNothing(TAGS),
  description: 'Tags that are left out stay as they are; an empty list takes them away.',
};
const SOME_TAGS = { ...TAGS, minItems: 1 };

const owned = (title: string, names: readonly string[]) => ({
  type: 'object',
  title,
  properties: { ...said(names), tags: TAGS_OR_NOTHING },
  additionalProperties: false,
  ...saysOne({ ...Object.fromEntries(names.map((name) => [name, NAME])), tags: SOME_TAGS }),
});
/** JSON Schema of the members of a client, agent or resource. */
export const OWNED = owned('DirectoryNames', ['display_name', 'owner', 'team']);
/** JSON Schema of the members of a team. */
export const OF_TEAM = owned('DirectoryTeam', ['display_name', 'owner']);
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
        ...said(['display_name', 'user_name', 'team']),
        emails: orNothing(EMAILS),
        active: { type: ['boolean', 'null'] },
        owner: EMPTY,
        tags: TAGS_OR_NOTHING,
      },
      additionalProperties: false,
      ...saysOne({
        display_name: NAME,
        user_name: NAME,
        team: NAME,
        emails: { ...EMAILS, minItems: 1 },
        tags: SOME_TAGS,
      }),
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
    {
      ...OWNED,
      title: 'ResourceEntry',
      required: ['kind', 'id'],
      properties: {
        kind: { type: 'string', enum: ['resource'] },
        id: NAME,
        iss: EMPTY,
        ...OWNED.properties,
        ...EMPTY_OF_USERS,
      },
    },
    {
      ...OF_TEAM,
      title: 'TeamEntry',
      required: ['kind', 'id'],
      properties: {
        kind: { type: 'string', enum: ['team'] },
        id: NAME,
        iss: EMPTY,
        team: EMPTY,
        ...OF_TEAM.properties,
        ...EMPTY_OF_USERS,
      },
    },
  ],
};

const OF_USERS = { user_name: 'users', emails: 'users', active: 'users' };
const TEAM_HAVERS = 'users, clients, agents and resources';
/** Members that belong to other kinds, and to which. */
const FOREIGN: Readonly<Record<DirectoryKind, Readonly<Record<string, string>>>> = {
  user: { owner: 'clients, agents, resources and teams' },
  client: OF_USERS,
  agent: OF_USERS,
  resource: OF_USERS,
  team: { ...OF_USERS, team: TEAM_HAVERS },
};

/** Checks an entry. Throws a `TypeError` whose message says what is wrong, for a line of a report or a problem. */
export function readRow(kind: DirectoryKind, { iss, tenant, id }: DirectoryName, members: Members): DirectoryRow {
  const parts = partsOf(kind, { iss, tenant, id });
  for (const [member, whose] of Object.entries(FOREIGN[kind]))
    if (isGiven(members[member]) && !isEmptyList(members[member])) fail(`\`${member}\` belongs to ${whose}`);
  const row: DirectoryRow = {
    kind,
    parts,
    display_name: readText('display_name', members['display_name']),
    user_name: readText('user_name', members['user_name']),
    emails: emailsOf(members['emails']),
    active: booleanOf('active', members['active']),
    owner: readText('owner', members['owner']),
    team: readText('team', members['team']),
    tags: tagsOf(members['tags']),
  };
  const { display_name, user_name, emails, owner, team, tags } = row;
  if ([display_name, user_name, owner, team].every((value) => value === null) && emails.length === 0 && !tags?.length)
    fail('says nothing: give at least one name, email, owner, team or tag');
  return row;
}

/** Returns the parts of a name. Throws a `TypeError`. */
export function partsOf(kind: DirectoryKind, { iss, tenant, id }: DirectoryName): Parts {
  if (kind !== 'user' && isGiven(tenant)) fail('`tenant` belongs to users');
  if (isNamedAlone(kind)) {
    if (isGiven(iss)) fail('`iss` belongs to users, clients and agents');
    return [text('id', id)];
  }
  const name = { iss: text('iss', iss), sub: text('id', id), tenant: readText('tenant', tenant) ?? undefined };
  return kind === 'user' ? userParts(name) : [name.iss, name.sub];
}

/** Whether a name of this kind is one without an issuer. */
export const isNamedAlone = (kind: DirectoryKind): boolean => kind === 'resource' || kind === 'team';

/** Reads the members of anything but a user. Throws a `TypeError`. */
export function readOwned(kind: DirectoryKind, body: unknown): Members {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) fail('the body is an object');
  const known = Object.keys((kind === 'team' ? OF_TEAM : OWNED).properties);
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

function tagsOf(value: unknown): string[] | null {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value)) fail('`tags` is a list of tags');
  if (value.length > MAX_TAGS) fail(`\`tags\` has over ${MAX_TAGS} tags`);
  for (const tag of value)
    if (typeof tag !== 'string' || !TAG_FORM.test(tag)) fail('a tag has 1 to 63 characters of a-z, 0-9 and -');
  return [...new Set(value as string[])].sort();
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
