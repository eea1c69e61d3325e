import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class ControlLog1764000000000 implements MigrationInterface {
  readonly name = 'ControlLog1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'control-log.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP FUNCTION control_append; DROP TABLE control_log, control_command, control_head, node, control_snapshot_part, control_snapshot`);
  }
}
