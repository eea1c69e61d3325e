-- Reads what the hourly aggregates lack: the uses from a time to the end of its hour, the first use since that time,
-- and the end of the newest. The words in braces are replaced from a closed list in used.pg.ts.
-- $1 tenant  $2 as of  $3 since  $4 end of its hour  $5 ids
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
  -- OFFSET 0 keeps the look-ups by id: without it all uses of the hour are read and joined.
  OFFSET 0
) p ON true
