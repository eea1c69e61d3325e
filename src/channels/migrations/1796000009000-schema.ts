import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class ChannelsSchema1796000009000 implements MigrationInterface {
  readonly name = 'ChannelsSchema1796000009000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'schema.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE channel, channel_cursor, channel_delivery');
  }
}
