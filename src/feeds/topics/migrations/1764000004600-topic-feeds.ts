import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../../platform/postgres/index.js';

export class TopicFeeds1764000004600 implements MigrationInterface {
  readonly name = 'TopicFeeds1764000004600';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'topic-feeds.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE topic_cursor');
  }
}
