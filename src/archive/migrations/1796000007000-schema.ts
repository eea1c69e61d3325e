import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class ArchiveSchema1796000007000 implements MigrationInterface {
  readonly name = 'ArchiveSchema1796000007000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'schema.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE archive_head, archive_file, archive_place');
  }
}
