import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PLACES } from '../../../src/erasure/index.js';
import { DELETES, PROJECTED, REWRITES } from '../../../src/erasure/rewrites.js';
import { createMigratedDatabase, type TestDatabase } from '../../support/services.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(() => database.drop());

describe('the places of an erasure', () => {
  it('are all columns that can hold text: a new column needs a treatment', async () => {
    const { rows } = await database.pool.query<{ at: string }>(`
      SELECT c.relname || '.' || a.attname AS at
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
        AND format_type(a.atttypid, NULL) ~ '^(text|bytea|jsonb|json|xml|character|name|citext|tsvector|hstore)' AND c.relname <> 'migration'
      ORDER BY 1`);
    const listed = Object.entries(PLACES).flatMap(([table, columns]) =>
      Object.keys(columns).map((column) => `${table}.${column}`),
    );
    expect(listed.toSorted()).toEqual(rows.map(({ at }) => at).toSorted());
  });

  it('are treated as they are listed', () => {
    const rewritten = [...REWRITES, ...PROJECTED].flatMap(({ table, columns }) =>
      columns.map((one) => `${table}.${one}`),
    );
    // Statements of their own.
    const byEntry = ['entity.parts', 'token.facts', 'id_jag.facts', 'entry_remainder.said', 'erasure.names'];
    const listed = Object.entries(PLACES).flatMap(([table, columns]) =>
      Object.entries(columns).flatMap(([column, does]) => (does === 'replaced' ? [`${table}.${column}`] : [])),
    );
    expect([...new Set([...rewritten, ...byEntry])].toSorted()).toEqual(listed.toSorted());
    const deleted = new Set(DELETES.map(({ table }) => table).concat('payload'));
    const listedRows = Object.entries(PLACES).filter(([, columns]) => Object.values(columns).includes('row-deleted'));
    expect(listedRows.map(([table]) => table).filter((table) => !deleted.has(table))).toEqual([]);
  });
});
