import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class UsesOfAUser1764000008096 implements MigrationInterface {
  readonly name = 'UsesOfAUser1764000008096';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'uses-of-a-user.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX access_usr; CREATE INDEX access_usr ON access (tenant, usr, at, ix)');
  }
}
