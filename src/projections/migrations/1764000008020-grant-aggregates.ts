import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';

export class GrantAggregates1764000008020 implements MigrationInterface {
  readonly name = 'GrantAggregates1764000008020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'grant-aggregates.sql'));
    await runner.query(loadSql(import.meta.url, 'fill-grant-aggregates.sql'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE issuer_user, edge_seen;
      DROP INDEX alias_from, connection_from, edge_scope_granted_first, edge_scope_used_first, edge_agent_granted_first, edge_agent_used_first, grant_agent, grant_client;
      CREATE INDEX grant_client ON grant_version (tenant, client, res);
      TRUNCATE edge_grant, client_user, edge_scope_granted, edge_agent_granted`);
  }
}
