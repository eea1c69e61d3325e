import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class ForeignUses1764000008202 implements MigrationInterface {
  readonly name = 'ForeignUses1764000008202';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'foreign-uses.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE access DROP COLUMN source_res, DROP COLUMN foreign_ix');
  }
}
