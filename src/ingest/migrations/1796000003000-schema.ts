import { loadSql, schemaMigration } from '../../platform/postgres/index.js';

export const IngestSchema = schemaMigration({
  stage: 'Ingest',
  at: 1_796_000_003_000,
  sql: loadSql(import.meta.url, 'schema.sql'),
  undo: 'DROP TABLE kafka_offset, quarantine, contradiction_owed, signed_manifest, source_keys',
});
