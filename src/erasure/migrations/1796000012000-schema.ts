import { loadSql, schemaMigration } from '../../platform/postgres/index.js';

export const ErasureSchema = schemaMigration({
  stage: 'Erasure',
  at: 1_796_000_012_000,
  sql: loadSql(import.meta.url, 'schema.sql'),
  undo: 'DROP TABLE erasure; DROP FUNCTION contains_any, jws_claims',
});
