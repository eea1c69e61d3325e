import { MAX_IDENTIFIER_LENGTH, RescindError } from '../../contracts/index.js';
import { userParts, type Parts } from '../../rules/index.js';

export const DIRECTORY_KINDS = ['user', 'client', 'agent'] as const;
export type DirectoryKind = (typeof DIRECTORY_KINDS)[number];

/** An entry as it is stored: a kind, the parts of its name, and what people read. */
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

/** Checks an entry. Throws a `TypeError` whose message says what is wrong, for a line of a report or a problem. */
export function readRow(kind: DirectoryKind, { iss, tenant, id }: DirectoryName, members: Members): DirectoryRow {
  const name = { iss: text('iss', iss), sub: text('id', id), tenant: optional('tenant', tenant) ?? undefined };
  if (kind !== 'user' && name.tenant !== undefined) fail('`tenant` belongs to users');
  const [foreign, whose] = kind === 'user' ? [['owner', 'team'], 'clients and agents'] : [['user_name', 'emails', 'active'], 'users'];
  for (const member of foreign) if (isGiven(members[member])) fail(`\`${member}\` belongs to ${whose}`);
  const row: DirectoryRow = {
    kind,
    parts: kind === 'user' ? userParts(name) : [name.iss, name.sub],
    display_name: optional('display_name', members['display_name']),
    user_name: optional('user_name', members['user_name']),
    emails: emailsOf(members['emails']),
    active: booleanOf('active', members['active']),
    owner: optional('owner', members['owner']),
    team: optional('team', members['team']),
  };
  const { display_name, user_name, emails, owner, team } = row;
  if ([display_name, user_name, owner, team].every((value) => value === null) && emails.length === 0) fail('says nothing: give at least one name, email, owner or team');
  return row;
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);

function emailsOf(value: unknown): string[] {
  if (!isGiven(value)) return [];
  if (!Array.isArray(value)) fail('`emails` is a list of addresses');
  if (value.length > MAX_EMAILS) fail(`\`emails\` has over ${MAX_EMAILS} addresses`);
  const emails = value.map((email) => text('emails', email));
  for (const email of emails) if (!/^[^\s@]+@[^\s@]+$/.test(email)) fail('`emails` holds what is no address');
  return [...new Set(emails.map((email) => email.toLowerCase()))].sort();
}

function booleanOf(name: string, value: unknown): boolean | null {
  if (!isGiven(value)) return null;
  if (typeof value !== 'boolean') fail(`\`${name}\` is true or false`);
  return value;
}

const optional = (name: string, value: unknown): string | null => (isGiven(value) ? text(name, value) : null);

function text(name: string, value: unknown): string {
  if (!isGiven(value)) fail(`\`${name}\` is missing`);
  if (typeof value !== 'string') fail(`\`${name}\` is a text`);
  if (/[\p{Cc}\u2028\u2029]/u.test(value) || !value.isWellFormed()) fail(`\`${name}\` holds a control character or a lone surrogate`);
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
