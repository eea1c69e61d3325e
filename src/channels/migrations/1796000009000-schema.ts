import { loadSql, schemaMigration } from '../../platform/postgres/index.js';

export const ChannelsSchema = schemaMigration({
  stage: 'Channels',
  at: 1_796_000_009_000,
  sql: loadSql(import.meta.url, 'schema.sql'),
  undo: 'DROP TABLE channel, channel_cursor, channel_delivery',
});
