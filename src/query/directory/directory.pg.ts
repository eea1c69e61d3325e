import type { Pool } from 'pg';
import { RescindError } from '../../contracts/index.js';
import { loadSql } from '../../platform/postgres/index.js';
import { ENTITY_KINDS } from '../../projections/index.js';
import { ruleKey, ruleKeyToBytes, userParts } from '../../rules/index.js';
import { asOfOf } from '../ask/as-of.js';
import { readPage } from '../ask/page.js';
import { need, readChoice, readParameters } from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';
import type { Ask } from '../ask/snapshot.pg.js';
import type { DirectoryEntry, DirectoryItem, DirectoryPage, ImportAnswer } from './answers.js';
import { readDirectoryFile } from './import-file.js';
import { orInvalid, readRow, type DirectoryKind, type DirectoryRow, type Members } from './rows.js';
import { readScimUser } from './scim-user.js';

const PUT = loadSql(import.meta.url, 'put-entries.sql');
const LIST = loadSql(import.meta.url, 'list-entries.sql');
const REMOVE = 'DELETE FROM directory WHERE tenant = $1 AND kind = $2 AND key = $3';

export const DIRECTORY_PARAMETERS = ['kind', 'limit', 'cursor'] as const;
export const USER_NAME_PARAMETERS = ['iss', 'tenant'] as const;
export const OTHER_NAME_PARAMETERS = ['iss'] as const;

const KINDS = { user: ENTITY_KINDS.user, client: ENTITY_KINDS.client, agent: ENTITY_KINDS.agent } as const;
const KIND_NAMES: ReadonlyMap<number, DirectoryKind> = new Map(
  (Object.entries(KINDS) as [DirectoryKind, number][]).map(([name, code]) => [code, name]),
);
/** Members of a client or agent; a user has those of SCIM. */
const PLAIN_MEMBERS = ['display_name', 'owner', 'team'];

export interface Writer {
  readonly id: string;
  readonly tenant: string;
}

/**
 * Keeps names, owners and teams for people to read. It is a setting: no decision reads it, and answers show its current
 * state whatever `as_of` is.
 */
export interface Directory {
  list(tenant: string, query: unknown): Promise<DirectoryPage>;
  /** Creates or replaces one entry. Rejects with `invalid-request`. */
  put(writer: Writer, kind: DirectoryKind, id: string, query: unknown, body: unknown): Promise<DirectoryEntry>;
  /** Removes one entry and returns it. Rejects with `not-found`. */
  remove(writer: Writer, kind: DirectoryKind, id: string, query: unknown): Promise<DirectoryEntry>;
  /**
   * Puts the entries of a file, all or none; entries that the file does not name stay. The same file again changes
   * nothing.
   */
  importFile(writer: Writer, bytes: Uint8Array, mediaType: string): Promise<ImportAnswer>;
}

interface Dependencies {
  readonly pool: Pool;
  readonly ask: Ask;
  readonly reader: Reader;
  readonly now: () => number;
}

export function createDirectory({ pool, ask, reader, now }: Dependencies): Directory {
  const keyOf = (tenant: string, { kind, parts }: Pick<DirectoryRow, 'kind' | 'parts'>): Buffer =>
    ruleKeyToBytes(ruleKey(reader.tenantKey(tenant), kind, parts));

  async function write({ id, tenant }: Writer, rows: readonly DirectoryRow[]): Promise<ImportAnswer> {
    const entries = rows.map((row) => ({ ...row, kind: KINDS[row.kind], key: keyOf(tenant, row).toString('base64') }));
    const { rows: counts } = await pool.query<{ entries: string; known: string; written: string }>(PUT, [
      tenant,
      JSON.stringify(entries),
      now(),
      id,
    ]);
    const [given, known, written] = [Number(counts[0]!.entries), Number(counts[0]!.known), Number(counts[0]!.written)];
    return { entries: given, created: given - known, changed: written - (given - known), unchanged: given - written };
  }

  async function find(tenant: string, kind: DirectoryKind, key: Buffer): Promise<DirectoryEntry> {
    const { rows } = await pool.query<EntryRow>(LIST, [tenant, KINDS[kind] - 1, Buffer.alloc(0), KINDS[kind], 1, key]);
    if (!rows[0]) throw new RescindError('not-found', { detail: 'the directory has no such entry' });
    const { entity: _, ...entry } = itemOf(rows[0]);
    return entry;
  }

  function nameOf(kind: DirectoryKind, id: string, query: unknown) {
    const parameters = readParameters(query, kind === 'user' ? USER_NAME_PARAMETERS : OTHER_NAME_PARAMETERS);
    return { iss: need(parameters, 'iss'), tenant: parameters.get('tenant'), id };
  }

  return {
    list(tenant, query) {
      const parameters = readParameters(query, DIRECTORY_PARAMETERS);
      const tenantKey = reader.tenantKey(tenant);
      const kind = readChoice(parameters, 'kind', KINDS);
      const page = readPage('directory', tenantKey, parameters);
      const [afterKind, afterKey] = page.after ?? ['0', ''];
      return ask(tenant, async (snapshot) => {
        const rows = await snapshot.rows<EntryRow>(LIST, [
          afterKind,
          Buffer.from(afterKey!, 'base64url'),
          kind,
          page.limit + 1,
          null,
        ]);
        const { shown, next } = page.cut(rows, ({ kind: of, key }) => [String(of), key.toString('base64url')]);
        return { as_of: asOfOf(snapshot), items: shown.map(itemOf), ...next };
      });
    },
    async put(writer, kind, id, query, body) {
      const name = nameOf(kind, id, query);
      const row = orInvalid(() => readRow(kind, name, kind === 'user' ? readScimUser(body) : plainMembers(body)));
      await write(writer, [row]);
      return find(writer.tenant, kind, keyOf(writer.tenant, row));
    },
    async remove({ tenant }, kind, id, query) {
      const { iss, tenant: claim, id: name } = nameOf(kind, id, query);
      const key = keyOf(tenant, {
        kind,
        parts: kind === 'user' ? userParts({ iss, sub: name, tenant: claim }) : [iss, name],
      });
      const removed = await find(tenant, kind, key);
      await pool.query(REMOVE, [tenant, KINDS[kind], key]);
      return removed;
    },
    async importFile(writer, bytes, mediaType) {
      const rows = readDirectoryFile(bytes, mediaType);
      return rows.length === 0 ? { entries: 0, created: 0, changed: 0, unchanged: 0 } : write(writer, rows);
    },
  };
}

function plainMembers(body: unknown): Members {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new TypeError('the body is an object');
  const unknown = Object.keys(body).find((name) => !PLAIN_MEMBERS.includes(name));
  if (unknown !== undefined) throw new TypeError(`\`${unknown.slice(0, 64)}\` is none of ${PLAIN_MEMBERS.join(', ')}`);
  return body as Members;
}

export interface DirectoryColumns {
  readonly display_name: string | null;
  readonly user_name: string | null;
  readonly emails: string[];
  readonly active: boolean | null;
  readonly owner: string | null;
  readonly team: string | null;
  readonly updated_at: string;
  readonly updated_by: string;
}

interface EntryRow extends DirectoryColumns {
  readonly [column: string]: unknown;
  readonly kind: number;
  readonly key: Buffer;
  readonly parts: readonly (string | null)[];
  readonly entity: number | null;
}

function itemOf(row: EntryRow): DirectoryItem {
  const kind = KIND_NAMES.get(row.kind)!;
  const tenant = kind === 'user' ? row.parts[1] : null;
  return {
    kind,
    iss: row.parts[0]!,
    ...(tenant == null ? {} : { tenant }),
    name: row.parts.at(-1)!,
    entity: row.entity,
    ...columnsOf(row),
  };
}

export const columnsOf = ({
  display_name,
  user_name,
  emails,
  active,
  owner,
  team,
  updated_at,
  updated_by,
}: DirectoryColumns) => ({
  display_name,
  user_name,
  emails,
  active,
  owner,
  team,
  updated_at: Number(updated_at),
  updated_by,
});
