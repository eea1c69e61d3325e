-- Live tokens that a rule would select, and what stands behind them. Where to look ($4 to $8) is what an index finds: the
-- tokens of each user, client or agent that may be live, at most $3 each in two parts, and of the ended ones the last. What is selected is then decided by the facts themselves.
-- $1 tenant  $2 now  $3 tokens a seed  seeds: $4 users  $5 clients  $6 agents  $7 token keys  $8 ID-JAG keys
-- members, null where the selector has none: $9 token key  $10 ID-JAG keys  $11 session  $12 user  $13 client  $14 agent
-- $15 agent type  $16 resource  $17 issuer      $18 granted until this, or null  $19 whether an older sign-in falls too
-- $20 beginning of the last hour  $21 oldest lineage  $22 ended tokens a seed
-- $23 whether to look among tokens whose user nobody has said
WITH RECURSIVE found (seed, low, high, ended, most) AS (
  -- Apart, so that many refresh tokens, which end last, do not crowd out the rest.
  VALUES ('s', $2::bigint, $2 + 86400, false, $3::int), ('l', $2 + 86400, 9223372036854775807, false, $3), ('e', $21::bigint, $2, true, $22::int)
),
seeded (seed, key, ended, most) AS MATERIALIZED (
  SELECT 'u' || d.id || r.seed, k.key, r.ended, r.most FROM unnest($4::int[]) d (id) CROSS JOIN found r
  CROSS JOIN LATERAL (
    SELECT t.key FROM token t
    WHERE t.tenant = $1 AND t.usr = d.id AND coalesce(t.exp, t.iat + 2592000) > r.low AND coalesce(t.exp, t.iat + 2592000) <= r.high
    ORDER BY coalesce(t.exp, t.iat + 2592000) DESC LIMIT r.most
  ) k
  UNION ALL
  SELECT 'c' || d.id || r.seed, k.key, r.ended, r.most FROM unnest($5::int[]) d (id) CROSS JOIN found r
  CROSS JOIN LATERAL (
    SELECT t.key FROM token t
    WHERE t.tenant = $1 AND t.client = d.id AND coalesce(t.exp, t.iat + 2592000) > r.low AND coalesce(t.exp, t.iat + 2592000) <= r.high
    ORDER BY coalesce(t.exp, t.iat + 2592000) DESC LIMIT r.most
  ) k
  UNION ALL
  SELECT 'a' || d.id || r.seed, k.key, r.ended, r.most FROM unnest($6::int[]) d (id) CROSS JOIN found r
  CROSS JOIN LATERAL (
    SELECT t.key FROM token t
    WHERE t.tenant = $1 AND t.agent = d.id AND coalesce(t.exp, t.iat + 2592000) > r.low AND coalesce(t.exp, t.iat + 2592000) <= r.high
    ORDER BY coalesce(t.exp, t.iat + 2592000) DESC LIMIT r.most
  ) k
  UNION ALL
  -- Whose user nobody has said: the RAS's own name for it may be in the facts, and it shows in no grant of the resource.
  (SELECT 'n', t.key, false, $3 FROM token t WHERE $23::boolean AND t.tenant = $1 AND t.usr IS NULL ORDER BY t.ix DESC LIMIT $3)
  UNION ALL
  SELECT 'k', t.key, false, 2147483647 FROM token t WHERE t.tenant = $1 AND t.key = ANY ($7::bytea[])
  UNION ALL
  (SELECT 'j', t.key, false, $3 FROM token t WHERE t.tenant = $1 AND t.id_jag_key = ANY ($8::bytea[]) LIMIT $3)
),
looked_at AS (
  SELECT key FROM seeded WHERE NOT ended
  UNION
  -- Of an ended one only what came of it may be live.
  SELECT key FROM seeded s WHERE ended AND EXISTS (SELECT FROM token c WHERE c.tenant = $1 AND c.parent_key = s.key)
),
told AS (
  SELECT t.key, t.id_jag_key, t.facts AS f, t.facts -> 'id_jag' AS s, j.facts AS j
  FROM looked_at k
  CROSS JOIN LATERAL (SELECT * FROM token t WHERE t.tenant = $1 AND t.key = k.key LIMIT 1) t
  LEFT JOIN LATERAL (
    SELECT facts FROM id_jag WHERE tenant = $1 AND key = t.id_jag_key
    UNION ALL
    SELECT facts FROM id_jag WHERE tenant = $1 AND sha_key = t.id_jag_key
    LIMIT 1
  ) j ON true
),
selected AS (
  SELECT key FROM told
  WHERE ($9::bytea IS NULL OR key = $9)
    AND ($10::bytea[] IS NULL OR id_jag_key = ANY ($10))
    AND ($11::jsonb IS NULL OR f @> $11 OR s @> $11 OR j @> $11)
    AND ($12::jsonb IS NULL
      OR (f @> $12 AND f ->> 'tenant' IS NOT DISTINCT FROM $12 ->> 'tenant')
      OR (s @> $12 AND s ->> 'tenant' IS NOT DISTINCT FROM $12 ->> 'tenant')
      OR (j @> $12 AND j ->> 'tenant' IS NOT DISTINCT FROM $12 ->> 'tenant')
      OR (f -> 'iss' = $12 -> 'iss' AND s -> 'aud_sub' = $12 -> 'sub' AND s ->> 'aud_tenant' IS NOT DISTINCT FROM $12 ->> 'tenant')
      OR (j -> 'aud' ? ($12 ->> 'iss') AND j -> 'aud_sub' = $12 -> 'sub' AND j ->> 'aud_tenant' IS NOT DISTINCT FROM $12 ->> 'tenant'))
    AND ($13::jsonb IS NULL
      OR f @> $13
      OR (j -> 'iss' = $13 -> 'iss' AND j -> 'idp_client_id' = $13 -> 'client_id')
      OR (f -> 'iss' = $13 -> 'iss' AND s -> 'client_id' = $13 -> 'client_id')
      OR (j -> 'aud' ? ($13 ->> 'iss') AND j -> 'client_id' = $13 -> 'client_id'))
    AND ($14::jsonb IS NULL
      OR ((f -> 'iss' = $14 -> 'iss' OR s -> 'iss' = $14 -> 'iss') AND f #> '{agent,id}' = $14 -> 'id')
      OR (s -> 'iss' = $14 -> 'iss' AND s #> '{agent,id}' = $14 -> 'id')
      OR (j -> 'iss' = $14 -> 'iss' AND j #> '{agent,id}' = $14 -> 'id'))
    AND ($15::text IS NULL OR $15 IN (f #>> '{agent,type}', s #>> '{agent,type}', j #>> '{agent,type}'))
    AND ($16::text IS NULL OR f -> 'aud' ? $16 OR f -> 'resource' ? $16 OR j -> 'aud' ? $16 OR j -> 'resource' ? $16 OR (s IS NOT NULL AND f ->> 'iss' = $16))
    AND ($17::text IS NULL OR $17 IN (f ->> 'iss', s ->> 'iss', j ->> 'iss'))
    AND ($18::bigint IS NULL
      OR least((f ->> 'iat')::bigint, (s ->> 'iat')::bigint, (j ->> 'iat')::bigint) <= $18
      OR ($19 AND coalesce(least((f ->> 'auth_time')::bigint, (s ->> 'auth_time')::bigint, (j ->> 'auth_time')::bigint), 0) <= $18))
),
-- A rule on a token stops what came of it.
tree AS (
  SELECT key FROM selected
  UNION
  -- Key by key through the indexes: OFFSET and LIMIT keep the planner from joining whole tables.
  SELECT n.key FROM tree p CROSS JOIN LATERAL (SELECT t.key FROM token t WHERE t.tenant = $1 AND t.parent_key = p.key OFFSET 0) n
),
live AS MATERIALIZED (
  SELECT t.key, t.usr, t.client, t.res FROM tree CROSS JOIN LATERAL (SELECT * FROM token t WHERE t.tenant = $1 AND t.key = tree.key LIMIT 1) t
  WHERE t.conflict_ix IS NULL AND t.iat >= $21 AND (t.exp > $2 OR (t.exp IS NULL AND t.facts ->> 'kind' = 'refresh'))
),
behind AS (
  SELECT DISTINCT g.usr, g.client, g.res
  FROM (SELECT DISTINCT l.usr, l.client, r.id AS res FROM live l CROSS JOIN LATERAL unnest(l.res) r (id)) l
  CROSS JOIN LATERAL (SELECT * FROM grant_version g WHERE g.tenant = $1 AND g.usr = l.usr AND g.client = l.client AND g.res = l.res AND g.to_ix IS NULL LIMIT 1) g
)
SELECT
  (SELECT count(*) FROM live) AS tokens,
  (SELECT count(*) FROM live l WHERE EXISTS (SELECT FROM access a WHERE a.tenant = $1 AND a.tok = l.key AND a.at >= $20)) AS used,
  (SELECT count(DISTINCT coalesce(a.idp, l.usr))
   FROM (SELECT DISTINCT usr FROM live) l
   LEFT JOIN LATERAL (SELECT min(idp) AS idp FROM alias WHERE tenant = $1 AND local = l.usr) a ON true) AS users,
  (SELECT count(*) FROM behind) AS grants,
  (SELECT count(*) FROM connection_version c
   WHERE c.tenant = $1 AND c.to_ix IS NULL AND c.state <> 0 AND (c.client, c.res) IN (SELECT client, res FROM behind)) AS connections,
  EXISTS (SELECT FROM seeded GROUP BY seed, most HAVING count(*) >= most) AS cut_off
