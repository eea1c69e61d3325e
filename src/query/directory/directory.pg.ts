import { loadSql } from '../../platform/postgres/index.js';
import { asOfOf } from '../ask/as-of.js';
import { decodeCursor, encodeCursor, questionOf } from '../ask/cursor.js';
import { readChoice, readLimit, readParameters } from '../ask/parameters.js';
import type { Reader } from '../ask/reader.js';
import type { Ask } from '../ask/snapshot.pg.js';
import type { DirectoryItem, DirectoryPage } from './answers.js';
import { columnsOf, DIRECTORY_KINDS, nameOf, type DirectoryColumns, type DirectoryNameColumns } from './entry.js';

const LIST = loadSql(import.meta.url, 'list-entries.sql');

export const DIRECTORY_PARAMETERS = ['kind', 'limit', 'cursor'] as const;

interface EntryRow extends DirectoryColumns, DirectoryNameColumns {
  readonly [column: string]: unknown;
  readonly key: Buffer;
  readonly entity: number | null;
}

/** Lists the entries of the directory as they are now, whatever `as_of` is: it is a setting, which `settings` changes. */
export function createDirectoryQuestion({ ask, reader }: { readonly ask: Ask; readonly reader: Reader }) {
  return async (tenant: string, query: unknown): Promise<DirectoryPage> => {
    const parameters = readParameters(query, DIRECTORY_PARAMETERS);
    const tenantKey = reader.tenantKey(tenant);
    const kind = readChoice(parameters, 'kind', DIRECTORY_KINDS);
    const limit = readLimit(parameters);
    const question = questionOf('directory', parameters);
    const [afterKind, afterKey] = parameters.has('cursor')
      ? decodeCursor(tenantKey, question, parameters.get('cursor')!)
      : ['0', ''];
    return ask(tenant, async (snapshot) => {
      const rows = await snapshot.rows<EntryRow>(LIST, [
        afterKind,
        Buffer.from(afterKey!, 'base64url'),
        kind,
        limit + 1,
      ]);
      const shown = rows.slice(0, limit);
      const last = rows.length > limit ? shown.at(-1) : undefined;
      return {
        as_of: asOfOf(snapshot),
        items: shown.map(itemOf),
        ...(last
          ? { next: encodeCursor(tenantKey, question, [String(last.kind), last.key.toString('base64url')]) }
          : {}),
      };
    });
  };
}

const itemOf = (row: EntryRow): DirectoryItem => ({ ...nameOf(row), entity: row.entity, ...columnsOf(row) });
