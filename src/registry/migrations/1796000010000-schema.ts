import { loadSql, schemaMigration } from '../../platform/postgres/index.js';

export const RegistrySchema = schemaMigration({
  stage: 'Registry',
  at: 1_796_000_010_000,
  sql: loadSql(import.meta.url, 'schema.sql'),
  undo: 'DROP TABLE caller_network',
});
