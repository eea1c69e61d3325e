-- Writes the first uses of scopes and by agents. An earlier batch always has the lower index, so the first row stays.
-- $1 to $6: tenants, users, clients, resources, scopes, indexes  $7 to $11: tenants, clients, resources, agents, indexes
WITH used AS MATERIALIZED (
  SELECT tenant, usr, client, res, scope, min(ix) AS first_ix
  FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::int[], $6::bigint[]) AS u (tenant, usr, client, res, scope, ix)
  GROUP BY tenant, usr, client, res, scope
),
first_use_kept AS (
  INSERT INTO first_use (tenant, usr, client, res, scope, first_ix)
  SELECT * FROM used WHERE usr IS NOT NULL
  ON CONFLICT DO NOTHING
),
edge_scope_used_kept AS (
  INSERT INTO edge_scope_used (tenant, client, res, scope, first_ix)
  SELECT tenant, client, res, scope, min(first_ix) FROM used GROUP BY tenant, client, res, scope
  ON CONFLICT DO NOTHING
)
INSERT INTO edge_agent_used (tenant, client, res, agent, first_ix)
SELECT tenant, client, res, agent, min(ix)
FROM unnest($7::uuid[], $8::int[], $9::int[], $10::int[], $11::bigint[]) AS a (tenant, client, res, agent, ix)
GROUP BY tenant, client, res, agent
ON CONFLICT DO NOTHING
