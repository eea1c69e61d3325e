-- Tokens that may be reached: those of each user, client or agent, those of an ID-JAG, and what came of any of them. Which are reached is
-- decided by their facts. Where only live ones are wanted, they are found by their end, and of the ended ones the last to end are asked
-- what came of them.
-- What stands in braces is candidates-named.sql, for each of users, clients and agents.
-- $1 tenant  $2 as of  $3 now  $4 tokens looked at a seed  seeds: $5 users  $6 clients  $7 agents  $8 tokens  $9 ID-JAGs
-- $10 oldest lineage  $11 whether only what may be live is wanted  $12 tokens given back  $13 a day from now  $14 ended ones a seed
-- $15 whether to look among those whose user nobody had said
WITH RECURSIVE reach (seed, low, high, ended, most) AS (
  -- Apart, so that many refresh tokens, which end last, do not crowd out the rest.
  VALUES ('s', $3::bigint, $13::bigint, false, $4::int), ('l', $13, 9223372036854775807, false, $4), ('e', $10::bigint, $3, true, $14::int)
),
seeded (seed, key, ended, most) AS MATERIALIZED (
  {named}
  UNION ALL
  -- Whose user nobody had said: the RAS's own name for it may be in the facts, and it shows in no grant of a resource.
  (SELECT 'n', t.key, false, $4 FROM token t WHERE $15::boolean AND t.tenant = $1 AND t.usr IS NULL AND t.ix < $2 ORDER BY t.ix DESC LIMIT $4)
  UNION ALL
  (SELECT 'o', t.key, false, $4 FROM token t WHERE $15::boolean AND t.tenant = $1 AND t.bound_ix > t.ix AND t.bound_ix >= $2 AND t.ix < $2 ORDER BY t.bound_ix LIMIT $4)
  UNION ALL
  SELECT 't', k.key, false, 2147483647 FROM unnest($8::bytea[]) k (key)
  UNION ALL
  (SELECT 'j', t.key, false, $4 FROM token t WHERE t.tenant = $1 AND t.id_jag_key = ANY ($9::bytea[]) AND t.ix < $2 LIMIT $4)
),
tree AS (
  SELECT key, ended FROM seeded
  UNION
  SELECT n.key, false FROM tree p
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
         (t.conflict_ix IS NULL OR t.conflict_ix >= $2) AND t.iat >= $10 AND (t.exp > $3 OR (t.exp IS NULL AND t.facts ->> 'kind' = 'refresh')) AS alive
  FROM (SELECT DISTINCT key FROM tree WHERE NOT ended) tree CROSS JOIN LATERAL (SELECT * FROM token t WHERE t.tenant = $1 AND t.key = tree.key LIMIT 1) t
)
SELECT k.key, k.ix, CASE WHEN k.bound_ix < $2 THEN k.usr END AS usr, k.client, CASE WHEN k.bound_ix < $2 AND coalesce(k.agent_ix, k.ix) < $2 THEN k.agent END AS agent,
       k.res, k.iat, k.exp, k.kind, k.alive, c.cut_off
FROM (SELECT EXISTS (SELECT FROM seeded GROUP BY seed, most HAVING count(*) >= most) AS cut_off) c
LEFT JOIN (SELECT * FROM known WHERE alive OR NOT $11 ORDER BY ix DESC LIMIT $12) k ON true
ORDER BY k.ix DESC
