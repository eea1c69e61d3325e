-- What hours of the aggregates do not tell: uses from a time to the end of its hour, and the first use of all since then and the end of the newest.
-- $1 tenant  $2 as of  $3 since  $4 end of its hour  $5 ids. What stands in braces is one of a closed list in used.pg.ts.
SELECT coalesce(sum(p.n), 0) AS n, coalesce(sum(p.n) FILTER (WHERE p.outcome = 1), 0) AS allowed,
       coalesce(sum(p.records) FILTER (WHERE p.outcome = 1), 0) AS records, coalesce(sum(p.bytes) FILTER (WHERE p.outcome = 1), 0) AS bytes,
       min(f.at) AS first, max(l.until_at) AS last
FROM unnest($5::int[]) d (id)
LEFT JOIN LATERAL (
  SELECT a.at FROM access a WHERE a.tenant = $1 AND {driven} AND a.at >= $3::bigint AND a.ix < $2::bigint ORDER BY a.at LIMIT 1
) f ON true
LEFT JOIN LATERAL (
  SELECT a.until_at FROM access a WHERE a.tenant = $1 AND {driven} AND a.at >= $3 AND a.ix < $2 ORDER BY a.at DESC, a.ix DESC LIMIT 1
) l ON true
LEFT JOIN LATERAL (
  SELECT a.n, a.outcome, a.records, a.bytes FROM access a WHERE a.tenant = $1 AND {driven} AND a.at >= $3 AND a.at < $4::bigint AND a.ix < $2
  -- By whose they are: without OFFSET all uses of the hour are read and joined.
  OFFSET 0
) p ON true
