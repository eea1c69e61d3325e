import { EMAILS, fail, NAME, readText, TAGS_OR_NOTHING, type Members } from './rows.js';

const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User';

/** Attributes of a User (RFC 7643, sections 3.1 and 4.1) that are accepted and not stored. */
const NOT_KEPT_NAMES = [
  [
    'id',
    'externalId',
    'meta',
    'name',
    'nickName',
    'profileUrl',
    'title',
    'userType',
    'preferredLanguage',
    'locale',
    'timezone',
  ],
  ['phoneNumbers', 'ims', 'photos', 'addresses', 'groups', 'entitlements', 'roles', 'x509Certificates'],
].flat();
const NOT_KEPT: ReadonlySet<string> = new Set(NOT_KEPT_NAMES.map((name) => name.toLowerCase()));

const orNull = (schema: object) => ({ anyOf: [schema, { type: 'null' }] });
const DISPLAYED = { ...NAME, minLength: 0, pattern: NAME.pattern.replace('+$', '*$') };
const KEPT = {
  schemas: { type: 'array', contains: { enum: [USER_SCHEMA] } },
  userName: NAME,
  displayName: orNull(DISPLAYED),
  name: orNull({ type: 'object', properties: { formatted: orNull(DISPLAYED) } }),
  emails: orNull({ ...EMAILS, items: { type: 'object', required: ['value'], properties: { value: EMAILS.items } } }),
  active: { type: ['boolean', 'null'] },
  team: { ...orNull(DISPLAYED), description: 'A team that is left out is taken away.' },
  tags: TAGS_OR_NOTHING,
};

/** JSON Schema of the User that {@link readScimUser} takes. Attribute names in another case are taken too, which a schema cannot say. */
export const SCIM_USER = {
  type: 'object',
  title: 'ScimUser',
  required: ['userName'],
  properties: {
    ...KEPT,
    ...Object.fromEntries(NOT_KEPT_NAMES.filter((name) => name !== 'name').map((name) => [name, {}])),
  },
  patternProperties: { '^urn:': {} },
  additionalProperties: false,
};

/**
 * Reads a SCIM User (RFC 7643, section 4.1) as members of an entry: `userName`, `displayName` or else the formatted
 * name, the values of `emails`, and `active`, which no decision reads; `team` and `tags` are no attributes of SCIM. Attribute names
 * are compared without case (section 2.1). Throws a `TypeError`.
 */
export function readScimUser(body: unknown): Members {
  const user = lowered(body, 'the body');
  const schemas = user['schemas'];
  if (schemas !== undefined && !(Array.isArray(schemas) && schemas.includes(USER_SCHEMA)))
    fail(`\`schemas\` lacks ${USER_SCHEMA}`);
  for (const name of Object.keys(user)) {
    if (name === 'password') fail('a password was sent: leave it out, and change it');
    const isKnown =
      ['schemas', 'username', 'displayname', 'emails', 'active', 'team', 'tags'].includes(name) ||
      NOT_KEPT.has(name) ||
      name.startsWith('urn:');
    if (!isKnown) fail(`\`${name.slice(0, 64)}\` is no attribute of a User`);
  }
  if (user['username'] === undefined || user['username'] === null || user['username'] === '')
    fail('`userName` is missing');
  const name = user['name'] === undefined || user['name'] === null ? {} : lowered(user['name'], '`name`');
  const formatted = readText('name.formatted', name['formatted']);
  return {
    user_name: user['username'],
    display_name: user['displayname'] ?? formatted,
    emails: addressesOf(user['emails']),
    active: user['active'],
    team: user['team'],
    tags: user['tags'],
  };
}

function addressesOf(emails: unknown): unknown {
  if (emails === undefined || emails === null) return undefined;
  if (!Array.isArray(emails)) fail('`emails` is a list');
  return emails.map((email) => lowered(email, 'each of `emails`')['value']);
}

function lowered(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(`${what} is an object`);
  const members: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, member] of Object.entries(value)) {
    if (Object.hasOwn(members, name.toLowerCase())) fail(`\`${name.slice(0, 64)}\` is given twice`);
    members[name.toLowerCase()] = member;
  }
  return members;
}
