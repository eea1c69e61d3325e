import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class UsesOfUsers1764000008103 implements MigrationInterface {
  readonly name = 'UsesOfUsers1764000008103';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'uses-of-users.sql'));
    await runner.query(loadSql(import.meta.url, 'fill-uses-of-users.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE use_usr, use_usr_end; DROP INDEX access_agent_late;
      DROP INDEX access_usr; CREATE INDEX access_usr ON access (tenant, usr, at, ix) INCLUDE (client, res, outcome, n, until_at, bound_ix)`);
  }
}
