import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class SessionTokens1764000008097 implements MigrationInterface {
  readonly name = 'SessionTokens1764000008097';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'session-tokens.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX token_id_jag_sid, token_sid');
  }
}
