import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class RareUses1764000008095 implements MigrationInterface {
  readonly name = 'RareUses1764000008095';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'rare-uses.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX access_res_op');
  }
}
