-- Walks from a token down to the tokens and ID-JAGs that came from it, as of an index, nearest first. Both count as a hop, and the walk ends after $4
-- hops, so a cycle ends too. A token that names its parent and an ID-JAG of the same parent comes twice.
-- $1 tenant  $2 key  $3 as of  $4 hops  $5 rows
WITH RECURSIVE walk AS (
  SELECT 1 AS kind, $2::bytea AS key, NULL::bytea AS sha_key, NULL::bytea AS origin, 0 AS hop
  UNION ALL
  SELECT n.kind, n.key, n.sha_key, w.key, w.hop + 1
  FROM walk w
  CROSS JOIN LATERAL (
    SELECT 1 AS kind, t.key, NULL::bytea AS sha_key FROM token t
    WHERE w.kind = 1 AND t.tenant = $1 AND t.parent_key = w.key AND t.ix < $3::bigint
    UNION ALL
    SELECT 2, j.key, j.sha_key FROM id_jag j
    WHERE w.kind = 1 AND j.tenant = $1 AND j.parent_key = w.key AND j.ix < $3
    UNION ALL
    SELECT 1, t.key, NULL FROM token t
    WHERE w.kind = 2 AND t.tenant = $1 AND t.id_jag_key IN (w.key, w.sha_key) AND t.ix < $3
  ) n
  WHERE w.hop < $4::int
)
SELECT w.kind, w.key, w.origin, f.ix, f.source, f.facts, coalesce(f.conflict_ix < $3, false) AS conflict
FROM (SELECT * FROM walk WHERE hop > 0 LIMIT $5::int) w
CROSS JOIN LATERAL (
  SELECT t.ix, t.source, t.facts, t.conflict_ix FROM token t WHERE w.kind = 1 AND t.tenant = $1 AND t.key = w.key
  UNION ALL
  SELECT j.ix, j.source, j.facts, j.conflict_ix FROM id_jag j WHERE w.kind = 2 AND j.tenant = $1 AND j.key = w.key
) f
