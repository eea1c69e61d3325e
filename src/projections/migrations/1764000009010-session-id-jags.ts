import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class SessionIdJags1764000009010 implements MigrationInterface {
  readonly name = 'SessionIdJags1764000009010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'session-id-jags.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX id_jag_session');
  }
}
