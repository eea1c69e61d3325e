import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class LedgerSchema1796000001000 implements MigrationInterface {
  readonly name = 'LedgerSchema1796000001000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'schema.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE ledger_head, ledger_partitions, entry, payload, dedupe, control_outbox`);
  }
}
