import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class ReachIndexes1764000008080 implements MigrationInterface {
  readonly name = 'ReachIndexes1764000008080';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'reach-indexes.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX token_usr_ends, token_client_ends, token_agent_ends, token_late, edge_seen_res');
  }
}
