-- What a batch adds to its edges. Of a scope and an agent the first index stays: those of earlier batches are lower.
WITH granted AS (
  INSERT INTO edge_grant AS e (tenant, blk, client, res, grants)
  SELECT * FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::bigint[])
  ON CONFLICT (tenant, blk, client, res) DO UPDATE SET grants = e.grants + excluded.grants
),
scoped AS (
  INSERT INTO edge_scope_granted (tenant, client, res, scope, first_ix)
  SELECT * FROM unnest($6::uuid[], $7::int[], $8::int[], $9::text[], $10::bigint[])
  ON CONFLICT DO NOTHING
)
INSERT INTO edge_agent_granted (tenant, client, res, agent, first_ix)
SELECT * FROM unnest($11::uuid[], $12::int[], $13::int[], $14::int[], $15::bigint[])
ON CONFLICT DO NOTHING
