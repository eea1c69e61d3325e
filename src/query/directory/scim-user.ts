import { fail, type Members } from './rows.js';

const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User';

/** Attributes of a User (RFC 7643, sections 3.1 and 4.1) that are accepted and not stored. */
const NOT_KEPT: ReadonlySet<string> = new Set(
  [
    ['id', 'externalId', 'meta', 'name', 'nickName', 'profileUrl', 'title', 'userType', 'preferredLanguage', 'locale', 'timezone'],
    ['phoneNumbers', 'ims', 'photos', 'addresses', 'groups', 'entitlements', 'roles', 'x509Certificates'],
  ].flat().map((name) => name.toLowerCase()),
);

/**
 * Reads a SCIM User (RFC 7643, section 4.1) as members of an entry: `userName`, `displayName` or else the formatted
 * name, the values of `emails`, and `active`, which no decision reads. Attribute names are compared without case
 * (section 2.1). Throws a `TypeError`.
 */
export function readScimUser(body: unknown): Members {
  const user = lowered(body, 'the body');
  const schemas = user['schemas'];
  if (schemas !== undefined && !(Array.isArray(schemas) && schemas.includes(USER_SCHEMA))) fail(`\`schemas\` lacks ${USER_SCHEMA}`);
  for (const name of Object.keys(user)) {
    if (name === 'password') fail('a password was sent: leave it out, and change it');
    const isKnown = ['schemas', 'username', 'displayname', 'emails', 'active'].includes(name) || NOT_KEPT.has(name) || name.startsWith('urn:');
    if (!isKnown) fail(`\`${name.slice(0, 64)}\` is no attribute of a User`);
  }
  if (user['username'] === undefined) fail('`userName` is missing');
  const name = user['name'] === undefined || user['name'] === null ? {} : lowered(user['name'], '`name`');
  return {
    user_name: user['username'],
    display_name: user['displayname'] ?? name['formatted'],
    emails: addressesOf(user['emails']),
    active: user['active'],
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
