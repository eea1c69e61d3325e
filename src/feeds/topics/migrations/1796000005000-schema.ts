import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../../platform/postgres/index.js';

export class TopicsSchema1796000005000 implements MigrationInterface {
  readonly name = 'TopicsSchema1796000005000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'schema.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE topic_cursor, control_topic_key`);
  }
}
