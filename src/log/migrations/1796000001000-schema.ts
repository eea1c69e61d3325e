import { loadSql, schemaMigration } from '../../platform/postgres/index.js';

export const LedgerSchema = schemaMigration({
  stage: 'Ledger',
  at: 1_796_000_001_000,
  sql: loadSql(import.meta.url, 'schema.sql'),
  undo: 'DROP TABLE ledger_head, ledger_partitions, entry, payload, entry_remainder, dedupe, control_outbox, tree_head, tree_tile, ledger_checkpoint, ledger_key',
});
