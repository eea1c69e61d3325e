import { loadSql, schemaMigration } from '../../platform/postgres/index.js';

export const IntrospectionSchema = schemaMigration({
  stage: 'Introspection',
  at: 1_796_000_004_000,
  sql: loadSql(import.meta.url, 'schema.sql'),
  undo: 'DROP TABLE refused_token',
});
