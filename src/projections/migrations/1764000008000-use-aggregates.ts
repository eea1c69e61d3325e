import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class UseAggregates1764000008000 implements MigrationInterface {
  readonly name = 'UseAggregates1764000008000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'use-aggregates.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX access_late, grant_from;
      DROP TABLE use_total, use_client, use_res, edge_use, edge_cum, edge_scope_used, edge_agent_used, use_source, edge_grant, client_user, edge_scope_granted, edge_agent_granted`);
  }
}
