-- Tokens that may be reached: the newest of each user, client, agent or of the clients that hold a grant of the resource, those of an
-- ID-JAG, and what came of any of them. Which are reached is decided by their facts.
-- $1 tenant  $2 as of  $3 now  $4 tokens looked at a seed  seeds: $5 users  $6 clients  $7 agents  $8 resources  $9 tokens  $10 ID-JAGs
-- $11 oldest lineage  $12 whether only what may be live is wanted  $13 tokens given back
WITH RECURSIVE seeded AS MATERIALIZED (
  SELECT 'u' || d.id AS seed, k.key FROM unnest($5::int[]) d (id)
  CROSS JOIN LATERAL (SELECT t.key FROM token t WHERE t.tenant = $1 AND t.usr = d.id AND t.ix < $2::bigint ORDER BY t.ix DESC LIMIT $4) k
  UNION ALL
  SELECT 'c' || d.id, k.key FROM (
    SELECT unnest($6::int[]) AS id
    UNION
    SELECT g.client FROM grant_version g WHERE g.tenant = $1 AND g.res = ANY ($8::int[]) AND g.from_ix < $2
  ) d
  CROSS JOIN LATERAL (SELECT t.key FROM token t WHERE t.tenant = $1 AND t.client = d.id AND t.ix < $2 ORDER BY t.ix DESC LIMIT $4) k
  UNION ALL
  SELECT 'a' || d.id, k.key FROM unnest($7::int[]) d (id)
  CROSS JOIN LATERAL (SELECT t.key FROM token t WHERE t.tenant = $1 AND t.agent = d.id AND t.ix < $2 ORDER BY t.ix DESC LIMIT $4) k
  UNION ALL
  -- Whose user nobody has said: the RAS's own name for it may be in the facts.
  (SELECT 'n', t.key FROM token t WHERE cardinality($5) > 0 AND t.tenant = $1 AND t.usr IS NULL AND t.ix < $2 ORDER BY t.ix DESC LIMIT $4)
  UNION ALL
  SELECT 't', k.key FROM unnest($9::bytea[]) k (key)
  UNION ALL
  (SELECT 'j', t.key FROM token t WHERE t.tenant = $1 AND t.id_jag_key = ANY ($10::bytea[]) AND t.ix < $2 LIMIT $4)
),
tree AS (
  SELECT key FROM seeded
  UNION
  SELECT n.key FROM tree p
  CROSS JOIN LATERAL (
    SELECT t.key FROM token t WHERE t.tenant = $1 AND t.parent_key = p.key AND t.ix < $2
    UNION ALL
    SELECT t.key FROM id_jag j JOIN token t ON t.tenant = $1 AND t.id_jag_key IN (j.key, j.sha_key) AND t.ix < $2
    WHERE j.tenant = $1 AND j.parent_key = p.key AND j.ix < $2
    -- Key by key through the indexes: OFFSET and LIMIT keep the planner from joining whole tables.
    OFFSET 0
  ) n
),
known AS MATERIALIZED (
  SELECT t.key, t.ix, t.usr, t.bound_ix, t.client, t.agent, t.agent_ix, t.res, t.iat, t.exp, t.facts ->> 'kind' AS kind,
         (t.conflict_ix IS NULL OR t.conflict_ix >= $2) AND t.iat >= $11::bigint AND (t.exp > $3::bigint OR (t.exp IS NULL AND t.facts ->> 'kind' = 'refresh')) AS alive
  FROM tree CROSS JOIN LATERAL (SELECT * FROM token t WHERE t.tenant = $1 AND t.key = tree.key LIMIT 1) t
)
SELECT k.key, k.ix, CASE WHEN k.bound_ix < $2 THEN k.usr END AS usr, k.client, CASE WHEN k.bound_ix < $2 AND coalesce(k.agent_ix, k.ix) < $2 THEN k.agent END AS agent,
       k.res, k.iat, k.exp, k.kind, k.alive, c.cut_off
FROM (SELECT EXISTS (SELECT FROM seeded WHERE seed <> 't' GROUP BY seed HAVING count(*) >= $4) AS cut_off) c
LEFT JOIN (SELECT * FROM known WHERE alive OR NOT $12::boolean ORDER BY ix DESC LIMIT $13) k ON true
ORDER BY k.ix DESC
