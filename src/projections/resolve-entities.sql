WITH wanted AS (
  SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::bytea[], $4::jsonb[], $5::bigint[]) WITH ORDINALITY
    AS w (tenant, kind, key, parts, ix, nth)
),
known AS MATERIALIZED (
  SELECT w.*, e.id FROM wanted w LEFT JOIN entity e ON e.tenant = w.tenant AND e.kind = w.kind AND e.key = w.key
),
numbered AS MATERIALIZED (
  SELECT k.tenant, k.kind, k.key, k.parts, k.ix, k.nth,
         h.next_entity + (row_number() OVER (PARTITION BY k.tenant ORDER BY k.ix, k.kind, k.key))::int - 1 AS id
  FROM known k JOIN ledger_head h ON h.tenant = k.tenant
  WHERE k.id IS NULL
),
created AS (
  INSERT INTO entity (tenant, id, kind, key, parts, from_ix)
  SELECT tenant, id, kind, key, parts, ix FROM numbered
),
counted AS (
  UPDATE ledger_head h SET next_entity = h.next_entity + c.n
  FROM (SELECT tenant, count(*)::int AS n FROM numbered GROUP BY tenant) c
  WHERE h.tenant = c.tenant
)
SELECT nth, id, false AS known FROM numbered
UNION ALL
SELECT nth, id, true FROM known WHERE id IS NOT NULL
