-- Counts the live tokens that a rule would select, and the rights behind them. An index finds the candidates: tokens of each user, client or
-- agent that may be live, and, as a second part, ended ones, from which a live token may have come. The selection then compares small ids if
-- they say the same as the facts, otherwise the facts themselves.
-- preview-text.ts fills in the braces from the selector.
-- $1 tenant  $2 now  $3 beginning of the last hour  $4 oldest lineage  $5 rows that one step counts at most  $6 and on: values of the selector
WITH RECURSIVE found (part, low, high, ended) AS (
  VALUES ('l', $2::bigint, 9223372036854775807, false), ('e', $4::bigint, $2, true)
),
seeded (part, id, ended, key, usr, client, agent, res, id_jag_key, facts, alive) AS MATERIALIZED (
  {seeds}
),
selected AS MATERIALIZED (
  SELECT s.key, s.usr, s.client, s.res, s.alive FROM seeded s
  -- An ended token counts only if a live one may have come from it.
  WHERE (NOT s.ended
      OR s.key IN (SELECT t.parent_key FROM token t WHERE t.tenant = $1 AND t.parent_key = ANY (ARRAY(SELECT key FROM seeded WHERE ended)))
      OR s.key IN (SELECT j.parent_key FROM id_jag j WHERE j.tenant = $1 AND j.parent_key = ANY (ARRAY(SELECT key FROM seeded WHERE ended))))
    AND {selected}
),
-- A rule on a token stops the tokens derived from it. Nearly all are one step away: one index walk takes a sorted list of keys.
first AS MATERIALIZED (
  {children}
),
second AS MATERIALIZED (
  {grandchildren}
),
tree AS (
  SELECT key, usr, client, res, alive FROM second
  UNION
  SELECT n.key, n.usr, n.client, n.res, n.alive FROM tree p
  CROSS JOIN LATERAL (
    SELECT t.key, t.usr, t.client, t.res, {alive} AS alive FROM token t WHERE t.tenant = $1 AND t.parent_key = p.key
    UNION ALL
    SELECT t.key, t.usr, t.client, t.res, {alive} FROM id_jag j JOIN token t ON t.tenant = $1 AND t.id_jag_key IN (j.key, j.sha_key)
    WHERE j.tenant = $1 AND j.parent_key = p.key
    -- Looks up each key through the indexes: OFFSET and LIMIT keep the planner from joining whole tables.
    OFFSET 0
  ) n
),
live AS MATERIALIZED (
  SELECT key, usr, client, res FROM selected WHERE alive
  UNION
  SELECT key, usr, client, res FROM first WHERE alive
  UNION
  SELECT key, usr, client, res FROM tree WHERE alive
),
-- Standing rights that the rule names, and those behind its tokens.
standing AS MATERIALIZED (
  {standing}
  LIMIT $5
),
held AS MATERIALIZED (
  SELECT usr, client, res FROM standing
  UNION
  SELECT g.usr, g.client, g.res
  FROM (SELECT DISTINCT l.usr, l.client, r.id AS res FROM live l CROSS JOIN LATERAL unnest(l.res) r (id)) l
  CROSS JOIN LATERAL (SELECT * FROM grant_version g WHERE g.tenant = $1 AND g.usr = l.usr AND g.client = l.client AND g.res = l.res AND g.to_ix IS NULL LIMIT 1) g
)
SELECT
  (SELECT count(*) FROM live) AS tokens,
  (SELECT count(*) FROM live l CROSS JOIN LATERAL (SELECT 1 FROM access a WHERE a.tenant = $1 AND a.tok = l.key AND a.foreign_ix IS NULL AND a.at >= $3::bigint LIMIT 1) a) AS used,
  (SELECT count(DISTINCT {person}) FROM (SELECT usr FROM live WHERE usr IS NOT NULL UNION SELECT usr FROM held) u) AS users,
  (SELECT count(*) FROM held) AS grants,
  (SELECT count(*) FROM connection_version c
   WHERE c.tenant = $1 AND c.to_ix IS NULL AND c.state <> 0 AND {connections}) AS connections,
  (SELECT EXISTS (SELECT FROM seeded GROUP BY part, id HAVING count(*) >= $5)) OR (SELECT count(*) >= $5 FROM standing) AS cut_off
