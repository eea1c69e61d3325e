import { loadSql, schemaMigration } from '../../platform/postgres/index.js';

export const DirectorySchema = schemaMigration({
  stage: 'Directory',
  at: 1_796_000_006_000,
  sql: loadSql(import.meta.url, 'schema.sql'),
  undo: 'DROP TABLE directory, finding_change, detection_change',
});
