import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class ControlSchema1796000000000 implements MigrationInterface {
  readonly name = 'ControlSchema1796000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'schema.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DROP FUNCTION control_append; DROP TABLE control_head, control_log, control_command, node, control_snapshot, control_snapshot_part, rule_confirmation`,
    );
  }
}
