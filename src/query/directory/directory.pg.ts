import { loadSql } from '../../platform/postgres/index.js';
import { asOfOf } from '../ask/as-of.js';
import { readPage } from '../ask/page.js';
import { readChoice, readParameters } from '../ask/parameters.js';
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
    const page = readPage('directory', tenantKey, parameters);
    const [afterKind, afterKey] = page.after ?? ['0', ''];
    return ask(tenant, async (snapshot) => {
      const rows = await snapshot.rows<EntryRow>(LIST, [
        afterKind,
        Buffer.from(afterKey!, 'base64url'),
        kind,
        page.limit + 1,
      ]);
      const { shown, next } = page.cut(rows, ({ kind: of, key }) => [String(of), key.toString('base64url')]);
      return { as_of: asOfOf(snapshot), items: shown.map(itemOf), ...next };
    });
  };
}

const itemOf = (row: EntryRow): DirectoryItem => ({ ...nameOf(row), entity: row.entity, ...columnsOf(row) });
