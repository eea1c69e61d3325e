-- Sums uses since a time by resource and operation. The words in braces are replaced from a closed list in used.pg.ts:
-- the index that is walked.
-- $1 tenant  $2 as of  $3 since  $4 rows read at most  $5 ids or token keys
WITH used AS MATERIALIZED (
  SELECT CASE WHEN a.res_bound IS NULL OR a.bound_ix < $2 THEN a.res END AS res, a.op, a.outcome, a.n, a.records, a.bytes, a.at, a.until_at
  FROM unnest({ids}) d (id)
  CROSS JOIN LATERAL (
    SELECT a.* FROM access a
    WHERE a.tenant = $1 AND {driven} AND a.at >= $3::bigint AND a.ix < $2::bigint
    ORDER BY a.at DESC, a.ix DESC LIMIT $4::int
  ) a
  LIMIT $4
)
SELECT res, op, count(*) AS rows,
       coalesce(sum(n) FILTER (WHERE outcome = 1), 0) AS allowed, coalesce(sum(n) FILTER (WHERE outcome <> 1), 0) AS denied,
       coalesce(sum(records) FILTER (WHERE outcome = 1), 0) AS records, coalesce(sum(bytes) FILTER (WHERE outcome = 1), 0) AS bytes,
       min(at) AS first, max(until_at) AS last
FROM used GROUP BY res, op
