import { loadSql, schemaMigration } from '../../platform/postgres/index.js';

export const FindingsSchema = schemaMigration({
  stage: 'Findings',
  at: 1_796_000_008_000,
  sql: loadSql(import.meta.url, 'schema.sql'),
  undo: 'DROP TABLE finding, finding_cursor, finding_memory, finding_day, finding_news, finding_news_head, finding_action',
});
