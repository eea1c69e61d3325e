import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class Ingest1764000003000 implements MigrationInterface {
  readonly name = 'Ingest1764000003000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'ingest.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE kafka_offset, quarantine`);
  }
}
