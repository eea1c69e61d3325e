import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class Projections1764000002000 implements MigrationInterface {
  readonly name = 'Projections1764000002000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'projections.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE entity, token, id_jag, session, access, grant_version, connection_version, principal_version, alias, first_use`);
  }
}
