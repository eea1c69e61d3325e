import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class Ledger1764000001000 implements MigrationInterface {
  readonly name = 'Ledger1764000001000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'ledger.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE ledger_head, entry, payload, dedupe, control_outbox`);
  }
}
