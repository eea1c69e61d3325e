import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

/** Also what makes usage exact as of an index: since when an agent and a resource have been known. */
export class FillUseAggregates1764000008010 implements MigrationInterface {
  readonly name = 'FillUseAggregates1764000008010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'fill-use-aggregates.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`TRUNCATE use_total, use_client, use_res, edge_use, edge_cum, edge_scope_used, edge_agent_used, use_source;
      DROP FUNCTION capped;
      ALTER TABLE access DROP COLUMN agent_ix, DROP COLUMN res_bound;
      ALTER TABLE token DROP COLUMN agent_ix`);
  }
}
