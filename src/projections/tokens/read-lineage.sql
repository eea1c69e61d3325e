-- Walks from each asked token (kind 1) or ID-JAG (kind 2) up through its ancestors. A hop is a step to another token. More than $4 hops,
-- or a step to a member already visited, breaks the lineage and ends the walk.
WITH RECURSIVE walk AS (
  SELECT a.nth, $3::int AS kind, a.key, 0 AS hop, ARRAY[$3::text || encode(a.key, 'hex')] AS path, false AS broken
  FROM unnest($2::bytea[]) WITH ORDINALITY AS a (key, nth)
  UNION ALL
  SELECT w.nth, n.kind, n.key, w.hop + n.step, w.path || (n.kind::text || encode(n.key, 'hex')),
         w.hop + n.step > $4 OR (n.kind::text || encode(n.key, 'hex')) = ANY (w.path)
  FROM walk w
  CROSS JOIN LATERAL (
    SELECT 2 AS kind, t.id_jag_key AS key, 0 AS step FROM token t
    WHERE w.kind = 1 AND t.tenant = $1 AND t.key = w.key AND t.id_jag_key IS NOT NULL
    UNION ALL
    SELECT 1, t.parent_key, 1 FROM token t
    WHERE w.kind = 1 AND t.tenant = $1 AND t.key = w.key AND t.parent_key IS NOT NULL
    UNION ALL
    SELECT 1, j.parent_key, 1 FROM id_jag j
    WHERE w.kind = 2 AND j.tenant = $1 AND (j.key = w.key OR j.sha_key = w.key) AND j.parent_key IS NOT NULL
  ) n
  WHERE NOT w.broken
)
SELECT w.nth, w.kind, w.broken, f.key, f.ix, f.seen_seq, f.source, f.facts, f.id_jag_key, f.parent_key, f.conflict_ix IS NOT NULL AS conflict
FROM walk w
LEFT JOIN LATERAL (
  SELECT t.key, t.ix, t.seen_seq, t.source, t.facts, t.id_jag_key, t.parent_key, t.conflict_ix FROM token t
  WHERE w.kind = 1 AND t.tenant = $1 AND t.key = w.key
  UNION ALL
  SELECT j.key, j.ix, j.seen_seq, j.source, j.facts, NULL, j.parent_key, j.conflict_ix FROM id_jag j
  WHERE w.kind = 2 AND j.tenant = $1 AND (j.key = w.key OR j.sha_key = w.key)
) f ON NOT w.broken
ORDER BY w.nth, cardinality(w.path)
