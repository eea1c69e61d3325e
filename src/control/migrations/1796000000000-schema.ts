import { loadSql, schemaMigration } from '../../platform/postgres/index.js';

export const ControlSchema = schemaMigration({
  stage: 'Control',
  at: 1_796_000_000_000,
  sql: loadSql(import.meta.url, 'schema.sql'),
  undo: 'DROP FUNCTION control_append; DROP TABLE control_head, control_log, control_names_erased, control_command, node, control_snapshot, control_snapshot_part, rule_confirmation',
});
