-- Live tokens that a rule would select, and what stands behind them. Where to look is what an index finds: the tokens of each user, client or
-- agent that may be live, in two parts, and of the ended ones the last, of which a live one may have come. What is selected is then decided
-- by small ids where they say what the facts say, else by the facts themselves.
-- What stands in braces is made of the selector by preview-text.ts.
-- $1 tenant  $2 now  $3 beginning of the last hour  $4 oldest lineage  $5 tokens looked at a seed  $6 ended ones  $7 and on: what the selector names
WITH RECURSIVE found (part, low, high, ended, most) AS (
  -- Apart, so that many refresh tokens, which end last, do not crowd out the rest.
  VALUES ('s', $2::bigint, $2 + 86400, false, $5::int), ('l', $2 + 86400, 9223372036854775807, false, $5), ('e', $4::bigint, $2, true, $6::int)
),
seeded (part, id, most, ended, key, usr, client, agent, res, id_jag_key, facts, alive) AS MATERIALIZED (
  {seeds}
),
cut (off) AS MATERIALIZED (
  SELECT EXISTS (SELECT FROM seeded GROUP BY part, id, most HAVING count(*) >= most)
),
-- Whether it is asked what came of them.
asked (further) AS MATERIALIZED (
  SELECT {further} FROM cut
),
selected AS MATERIALIZED (
  SELECT s.key, s.usr, s.client, s.res, s.alive FROM seeded s
  -- Of an ended one only what came of it may be live.
  WHERE (NOT s.ended OR ((SELECT further FROM asked)
      AND (s.key IN (SELECT t.parent_key FROM token t WHERE t.tenant = $1 AND t.parent_key = ANY (ARRAY(SELECT key FROM seeded WHERE ended)))
        OR s.key IN (SELECT j.parent_key FROM id_jag j WHERE j.tenant = $1 AND j.parent_key = ANY (ARRAY(SELECT key FROM seeded WHERE ended))))))
    AND {selected}
),
-- A rule on a token stops what came of it. Nearly everything is one step away: all at once, since an index takes a sorted list of keys in one walk.
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
    -- Key by key through the indexes: OFFSET and LIMIT keep the planner from joining whole tables.
    OFFSET 0
  ) n
),
live AS MATERIALIZED (
  SELECT key, usr, client, res FROM selected WHERE alive
  UNION
  SELECT key, usr, client, res FROM first WHERE alive
  UNION
  SELECT key, usr, client, res FROM tree WHERE alive
)
{behind}
SELECT
  (SELECT count(*) FROM live) AS tokens,
  (SELECT count(*) FROM live l CROSS JOIN LATERAL (SELECT 1 FROM access a WHERE a.tenant = $1 AND a.tok = l.key AND a.foreign_ix IS NULL AND a.at >= $3::bigint LIMIT 1) a) AS used,
  (SELECT count(DISTINCT coalesce((SELECT min(a.idp) FROM alias a WHERE a.tenant = $1 AND a.local = l.usr), l.usr)) FROM (SELECT DISTINCT usr FROM live) l) AS users,
  {counted},
  (SELECT off FROM cut) AS cut_off
