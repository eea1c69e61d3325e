-- Sums the uses of tokens, as of an index. A token that was not used is left out.
-- $1 tenant  $2 keys  $3 as of
SELECT d.key, u.accesses, u.allowed, u.last
FROM unnest($2::bytea[]) AS d (key)
CROSS JOIN LATERAL (
  SELECT sum(a.n) AS accesses, coalesce(sum(a.n) FILTER (WHERE a.outcome = 1), 0) AS allowed, max(a.until_at) AS last
  FROM access a WHERE a.tenant = $1 AND a.tok = d.key AND a.ix < $3::bigint AND (a.foreign_ix IS NULL OR a.foreign_ix >= $3)
) u
WHERE u.accesses IS NOT NULL
