import { loadSql, schemaMigration } from '../../../platform/postgres/index.js';

export const TopicsSchema = schemaMigration({
  stage: 'Topics',
  at: 1_796_000_005_000,
  sql: loadSql(import.meta.url, 'schema.sql'),
  undo: 'DROP TABLE topic_cursor, control_topic_key',
});
