-- Reads what was known of a token below an index, and the sums of its uses.
-- $1 tenant  $2 key  $3 as of
SELECT t.key, t.ix, t.source, t.facts, t.client,
       CASE WHEN t.bound_ix < $3::bigint THEN t.usr END AS usr,
       CASE WHEN coalesce(t.agent_ix, t.ix) < $3 THEN t.agent END AS agent,
       CASE WHEN t.conflict_ix < $3 THEN t.conflict_ix END AS conflict_ix,
       u.accesses, u.allowed, u.first, u.last
FROM token t
CROSS JOIN LATERAL (
  SELECT coalesce(sum(a.n), 0) AS accesses, coalesce(sum(a.n) FILTER (WHERE a.outcome = 1), 0) AS allowed,
         min(a.at) AS first, max(a.until_at) AS last
  FROM access a WHERE a.tenant = $1 AND a.tok = t.key AND a.ix < $3 AND (a.foreign_ix IS NULL OR a.foreign_ix >= $3)
) u
WHERE t.tenant = $1 AND t.key = $2 AND t.ix < $3
