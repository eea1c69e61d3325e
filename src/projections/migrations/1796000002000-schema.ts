import { loadSql, schemaMigration } from '../../platform/postgres/index.js';

export const ProjectionsSchema = schemaMigration({
  stage: 'Projections',
  at: 1_796_000_002_000,
  sql: loadSql(import.meta.url, 'schema.sql'),
  undo: 'DROP FUNCTION numbers_in, capped; DROP TABLE entity, token, token_name, client_resource, id_jag, session, access, access_cold, grant_version, connection_version, principal_version, alias, first_use, source_sequence, source_routes, source_count, source_event, use_total, use_client, use_res, edge_use, edge_cum, use_source, use_usr, use_usr_end, edge_scope_used, edge_scope_granted, edge_agent_used, edge_agent_granted, edge_seen, edge_grant, client_user, issuer_user, rule_version, rule_event, said, projection_gate; DROP FUNCTION name_parts',
});
