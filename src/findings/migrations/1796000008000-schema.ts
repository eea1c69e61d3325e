import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class FindingsSchema1796000008000 implements MigrationInterface {
  readonly name = 'FindingsSchema1796000008000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'schema.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE finding, finding_cursor, finding_day, finding_news, finding_news_head, finding_action',
    );
  }
}
