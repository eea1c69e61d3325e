import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../../platform/postgres/index.js';

export class TopicKey1764000008200 implements MigrationInterface {
  readonly name = 'TopicKey1764000008200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'topic-key.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE control_topic_key');
  }
}
