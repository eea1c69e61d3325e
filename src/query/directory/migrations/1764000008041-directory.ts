import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../../platform/postgres/index.js';

export class Directory1764000008041 implements MigrationInterface {
  readonly name = 'Directory1764000008041';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'directory.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE directory');
  }
}
