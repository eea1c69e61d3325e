import { loadSql, schemaMigration } from '../../platform/postgres/index.js';

export const WebSchema = schemaMigration({
  stage: 'Web',
  at: 1_796_000_011_000,
  sql: loadSql(import.meta.url, 'schema.sql'),
  undo: 'DROP TABLE person_session, sign_in_link, saved_view',
});
