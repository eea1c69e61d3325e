-- Reads each asked token with its ID-JAG: the whole lineage unless one of them names a parent. A token may name its ID-JAG by either key.
-- LIMIT and OFFSET make the planner look up key by key through the indexes instead of joining the tables.
-- $1 tenant  $2 keys
SELECT a.nth::int, t.ix, t.seen_seq, t.source, t.facts, t.parent_key, t.conflict_ix IS NOT NULL, t.id_jag_key,
       j.key, j.ix, j.seen_seq, j.source, j.facts, j.parent_key, j.conflict_ix IS NOT NULL
FROM unnest($2::bytea[]) WITH ORDINALITY AS a (key, nth)
CROSS JOIN LATERAL (SELECT * FROM token t WHERE t.tenant = $1 AND t.key = a.key LIMIT 1) t
LEFT JOIN LATERAL (
  SELECT * FROM id_jag j WHERE j.tenant = $1 AND j.key = t.id_jag_key
  UNION ALL
  SELECT * FROM id_jag j WHERE j.tenant = $1 AND j.sha_key = t.id_jag_key AND j.key <> t.id_jag_key
  OFFSET 0
) j ON true
