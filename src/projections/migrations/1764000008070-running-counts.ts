import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class RunningCounts1764000008070 implements MigrationInterface {
  readonly name = 'RunningCounts1764000008070';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'running-counts.sql'));
    await runner.query(loadSql(import.meta.url, 'fill-running-counts.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'block-counts.sql'));
    await runner.query(loadSql(import.meta.url, 'fill-grant-aggregates.sql'));
  }
}
