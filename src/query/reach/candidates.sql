-- Tokens that may be reached: those of each user, client or agent, those of an ID-JAG, and what came of any of them. Which are reached is
-- decided by their facts. Where only live ones are wanted, they are found by their end, and of the ended ones the last to end are asked
-- what came of them.
-- What stands in braces is of closed lists in candidates.ts: the seeds that there are, and whether only what may be live is wanted.
-- $1 tenant  $2 as of  $3 now  $4 oldest lineage  $5 tokens looked at a seed  $6 ended ones a seed  $7 a day from now  $8 tokens given back
-- $9 and on: ids or keys of the seeds
WITH RECURSIVE reach (part, low, high, most) AS (
  -- Apart, so that many refresh tokens, which end last, do not crowd out the rest.
  VALUES ('s', $3::bigint, $7::bigint, $5::int), ('l', $7, 9223372036854775807, $5)
),
past (part, low, high, most) AS (
  VALUES ('e', $4::bigint, $3::bigint, $6::int)
),
seeded (part, id, most, key, ix, alive) AS MATERIALIZED (
  {seeds}
),
-- Where more are found already than are given back, it is not asked what came of ended ones, nor what came of what came of these: the answer says
-- that there are more.
asked (further) AS MATERIALIZED (
  SELECT (SELECT count(DISTINCT key) FROM seeded WHERE ix IS NOT NULL AND {wanted}) < $8
),
ended (part, id, most, key, ix, alive) AS MATERIALIZED (
  {ended}
),
origin AS (SELECT key FROM seeded UNION ALL SELECT key FROM ended),
-- Nearly everything is one step away: all at once, since an index takes a sorted list of keys in one walk.
first AS MATERIALIZED (
  {children}
),
second AS MATERIALIZED (
  {grandchildren}
),
tree AS (
  SELECT key, ix, alive FROM second
  UNION
  SELECT n.key, n.ix, n.alive FROM tree p
  CROSS JOIN LATERAL (
    SELECT t.key, t.ix, {alive} AS alive FROM token t WHERE t.tenant = $1 AND t.parent_key = p.key AND t.ix < $2
    UNION ALL
    SELECT t.key, t.ix, {alive} FROM id_jag j JOIN token t ON t.tenant = $1 AND t.id_jag_key IN (j.key, j.sha_key) AND t.ix < $2
    WHERE j.tenant = $1 AND j.parent_key = p.key AND j.ix < $2
    -- Key by key through the indexes: OFFSET and LIMIT keep the planner from joining whole tables.
    OFFSET 0
  ) n
),
newest AS (
  SELECT ix, key, alive FROM seeded WHERE ix IS NOT NULL AND {wanted}
  UNION
  SELECT ix, key, alive FROM first WHERE {wanted}
  UNION
  SELECT ix, key, alive FROM tree WHERE {wanted}
  ORDER BY ix DESC, key LIMIT $8
),
ranked AS MATERIALIZED (SELECT key, alive, row_number() OVER (ORDER BY ix DESC, key) AS nth FROM newest)
SELECT c.cut_off, k.*
FROM (SELECT EXISTS (SELECT FROM (SELECT part, id, most FROM seeded UNION ALL SELECT part, id, most FROM ended) s GROUP BY part, id, most HAVING count(*) >= most) AS cut_off) c
LEFT JOIN (
  {nearest}
) k ON true
