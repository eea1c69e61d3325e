import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class SourceCounts1764000008040 implements MigrationInterface {
  readonly name = 'SourceCounts1764000008040';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'source-counts.sql'));
    await runner.query(loadSql(import.meta.url, 'fill-source-counts.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE source_count, source_event`);
  }
}
