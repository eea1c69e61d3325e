import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class IngestSchema1796000003000 implements MigrationInterface {
  readonly name = 'IngestSchema1796000003000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'schema.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE kafka_offset, quarantine, contradiction_owed`);
  }
}
