-- Adds the grants, scopes and agents of a batch to their edges. A scope or agent keeps its first index: earlier batches have lower indexes.
-- The count of grants continues from the last count of the edge.
WITH granted AS (
  INSERT INTO edge_grant (tenant, client, res, from_ix, grants)
  SELECT w.tenant, w.client, w.res, w.from_ix, coalesce(before.grants, 0) + w.more
  FROM unnest($1::uuid[], $2::int[], $3::int[], $4::bigint[], $5::bigint[]) AS w (tenant, client, res, from_ix, more)
  LEFT JOIN LATERAL (
    SELECT grants FROM edge_grant e
    WHERE e.tenant = w.tenant AND e.client = w.client AND e.res = w.res ORDER BY e.from_ix DESC LIMIT 1
  ) before ON true
),
scoped AS (
  INSERT INTO edge_scope_granted (tenant, client, res, scope, first_ix)
  SELECT * FROM unnest($6::uuid[], $7::int[], $8::int[], $9::text[], $10::bigint[])
  ON CONFLICT DO NOTHING
)
INSERT INTO edge_agent_granted (tenant, client, res, agent, first_ix)
SELECT * FROM unnest($11::uuid[], $12::int[], $13::int[], $14::int[], $15::bigint[])
ON CONFLICT DO NOTHING
