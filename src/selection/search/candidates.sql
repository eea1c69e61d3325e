-- Finds tokens that may be reached: those of each user, client or agent, those of an ID-JAG, and all descendants. The
-- caller decides by their facts which are reached. If only live tokens are wanted, they are found by their end; ended
-- tokens only lead to their descendants. The words in braces are replaced from closed lists in candidates.ts: which
-- seeds exist, whether only tokens that may be live are wanted, and what is done with those that are found.
-- $1 tenant  $2 as of  $3 now  $4 oldest lineage  $5 tokens looked at per seed  $6 tokens returned, null: all  $7 and on: ids or
-- keys of the seeds
WITH RECURSIVE seeded (part, id, key, ix, alive) AS MATERIALIZED (
  {seeds}
),
-- Nearly all descendants are one step away. They are found at once, since an index takes a sorted list of keys in one
-- walk.
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
    -- OFFSET 0 and LIMIT keep the look-ups key by key through the indexes; without them the planner joins whole tables.
    OFFSET 0
  ) n
),
newest AS MATERIALIZED (
  SELECT ix, key, alive FROM seeded WHERE ix IS NOT NULL AND {wanted}
  UNION
  SELECT ix, key, alive FROM first WHERE {wanted}
  UNION
  SELECT ix, key, alive FROM tree WHERE {wanted}
  ORDER BY ix DESC, key LIMIT $6::bigint
)
{then}
