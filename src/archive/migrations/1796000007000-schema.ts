import { loadSql, schemaMigration } from '../../platform/postgres/index.js';

export const ArchiveSchema = schemaMigration({
  stage: 'Archive',
  at: 1_796_000_007_000,
  sql: loadSql(import.meta.url, 'schema.sql'),
  undo: 'DROP TABLE archive_head, archive_file, archive_place',
});
