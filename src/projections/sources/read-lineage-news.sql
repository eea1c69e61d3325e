-- Finds what the batch made known about the lineage of tokens: of its own tokens, and of earlier tokens whose ID-JAG arrived in this batch.
-- An ID-JAG is found by either of its keys; if two ID-JAGs share a key, the first counts.
-- $1, $2, $3 tenants, keys and indexes of the batch's token events  $4, $5, $6 the same of its ID-JAG events  $7 their tenants' first index
WITH born AS MATERIALIZED (
  SELECT w.tenant, t.source, t.ix, t.id_jag_key, t.parent_key
  FROM unnest($1::uuid[], $2::bytea[], $3::bigint[]) AS w (tenant, key, ix)
  -- LIMIT 1: one index look-up for each event, whatever the table's statistics.
  CROSS JOIN LATERAL (SELECT source, ix, id_jag_key, parent_key FROM token WHERE tenant = w.tenant AND key = w.key LIMIT 1) t
  WHERE t.ix = w.ix
),
waited AS (
  SELECT t.tenant, t.source, t.ix, t.id_jag_key, j.ix AS came_ix
  FROM unnest($4::uuid[], $5::bytea[], $6::bigint[], $7::bigint[]) AS w (tenant, key, ix, first_ix)
  CROSS JOIN LATERAL (SELECT key, sha_key, ix FROM id_jag WHERE tenant = w.tenant AND key = w.key LIMIT 1) j
  -- By either key, each through its index. OFFSET keeps the planner, which may have no statistics yet, from walking all tokens.
  CROSS JOIN LATERAL (
    SELECT tenant, source, ix, id_jag_key FROM token WHERE tenant = w.tenant AND id_jag_key = j.key
    UNION ALL
    SELECT tenant, source, ix, id_jag_key FROM token WHERE tenant = w.tenant AND id_jag_key = j.sha_key AND j.sha_key <> j.key
    OFFSET 0
  ) t
  WHERE j.ix = w.ix AND t.ix < w.first_ix
),
arrived AS (
  SELECT t.tenant, t.source, greatest(t.ix, j.ix) AS ix
  FROM (SELECT tenant, source, ix, id_jag_key, NULL AS came_ix FROM born WHERE id_jag_key IS NOT NULL UNION ALL SELECT * FROM waited) t
  CROSS JOIN LATERAL (
    SELECT min(ix) AS ix
    FROM (SELECT ix FROM id_jag WHERE tenant = t.tenant AND key = t.id_jag_key
          UNION ALL SELECT ix FROM id_jag WHERE tenant = t.tenant AND sha_key = t.id_jag_key) named
  ) j
  WHERE j.ix = coalesce(t.came_ix, j.ix)
)
SELECT tenant, source, ix, 'token' AS what FROM born
UNION ALL SELECT tenant, source, ix, 'token.stated' FROM born WHERE id_jag_key IS NOT NULL
UNION ALL SELECT tenant, source, ix, 'token.parent' FROM born WHERE id_jag_key IS NULL AND parent_key IS NOT NULL
UNION ALL SELECT tenant, source, ix, 'token.arrived' FROM arrived
ORDER BY ix
