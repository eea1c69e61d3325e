import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class NewsIndexes1764000008102 implements MigrationInterface {
  readonly name = 'NewsIndexes1764000008102';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'news-indexes.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX source_count_blk, edge_grant_from');
  }
}
