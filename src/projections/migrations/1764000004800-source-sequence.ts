import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class SourceSequence1764000004800 implements MigrationInterface {
  readonly name = 'SourceSequence1764000004800';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'source-sequence.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE source_sequence; DROP FUNCTION numbers_in`);
  }
}
