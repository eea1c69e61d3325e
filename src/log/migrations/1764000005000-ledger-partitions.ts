import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class LedgerPartitions1764000005000 implements MigrationInterface {
  readonly name = 'LedgerPartitions1764000005000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'partitions.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'whole.sql'));
  }
}
