-- Finds ids by key in the rebuilt table, else in the live one, and copies the latter to the rebuilt table with the names that the event states.
-- The id is null if neither table has one.  $1 tenants  $2 kinds  $3 keys  $4 parts  $5 indexes
WITH wanted AS (
  SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::bytea[], $4::jsonb[], $5::bigint[]) WITH ORDINALITY
    AS w (tenant, kind, key, parts, ix, nth)
),
found AS MATERIALIZED (
  SELECT w.*, e.id AS made, l.id AS live
  FROM wanted w
  LEFT JOIN LATERAL (SELECT id FROM entity WHERE tenant = w.tenant AND kind = w.kind AND key = w.key LIMIT 1) e ON true
  LEFT JOIN LATERAL (SELECT id FROM live.entity WHERE e.id IS NULL AND tenant = w.tenant AND kind = w.kind AND key = w.key LIMIT 1) l ON true
),
written AS (
  INSERT INTO entity (tenant, id, kind, key, parts, from_ix)
  SELECT tenant, live, kind, key, parts, ix FROM found WHERE made IS NULL AND live IS NOT NULL
)
SELECT nth, coalesce(made, live) AS id, made IS NOT NULL AS known FROM found
