-- Sums the uses that each source reported, and those that are attributed, as of an index: closed blocks by their sums,
-- the open block row by row. The index access_late finds older uses that were attributed within the open block.
-- $1 tenant  $2 open block; for the present one that is never reached  $3 as of
SELECT source, sum(came) AS came, sum(attributed) AS attributed
FROM (
  SELECT source, came, attributed FROM use_source WHERE tenant = $1 AND blk < $2::int
  UNION ALL
  SELECT source, n, CASE WHEN bound_ix < $3::bigint THEN n ELSE 0 END
  FROM access WHERE tenant = $1 AND ix >= $2::bigint << 16 AND ix < $3
  UNION ALL
  SELECT source, 0, n
  FROM access
  WHERE tenant = $1 AND bound_ix > ix AND bound_ix >= $2::bigint << 16 AND bound_ix < $3 AND ix < $2::bigint << 16
) used
GROUP BY source
