-- Sums attributed uses of some clients or resources over whole hours, as of an index: the sums of closed blocks, and the single uses of the open
-- block, found by client or resource. The texts in braces come from a closed list in read.pg.ts. It must be planned with its values: by an index
-- without the client or resource it would take a hundred times as long.
-- $1 tenant  $2 as of  $3, $4 first hour, and the hour after the last  $5 clients or resources
SELECT coalesce(sum(n), 0) AS n, coalesce(sum(allowed), 0) AS allowed, coalesce(sum(records), 0) AS records, coalesce(sum(bytes), 0) AS bytes
FROM (
  SELECT u.n, u.allowed, u.records, u.bytes FROM {table} u
  WHERE u.tenant = $1 AND u.hour >= $3::int AND u.hour < $4::int AND u.{column} = ANY ($5::int[]) AND u.blk < ($2::bigint >> 16)::int
  UNION ALL
  SELECT a.n, CASE WHEN a.outcome = 1 THEN a.n ELSE 0 END, CASE WHEN a.outcome = 1 THEN coalesce(a.records, 0) ELSE 0 END, CASE WHEN a.outcome = 1 THEN coalesce(a.bytes, 0) ELSE 0 END
  FROM unnest($5) d (id)
  CROSS JOIN LATERAL (
    SELECT * FROM access a
    WHERE a.tenant = $1 AND a.{column} = d.id AND a.at >= $3::bigint * 3600 AND a.at < $4::bigint * 3600 AND a.ix >= ($2::bigint >> 16) << 16 AND a.ix < $2 AND a.bound_ix < $2
    OFFSET 0
  ) a
  UNION ALL
  SELECT a.n, CASE WHEN a.outcome = 1 THEN a.n ELSE 0 END, CASE WHEN a.outcome = 1 THEN coalesce(a.records, 0) ELSE 0 END, CASE WHEN a.outcome = 1 THEN coalesce(a.bytes, 0) ELSE 0 END
  -- The few uses that were bound late, by access_late.
  FROM (
    SELECT * FROM access a
    WHERE a.tenant = $1 AND a.bound_ix > a.ix AND a.bound_ix >= ($2 >> 16) << 16 AND a.bound_ix < $2 AND a.ix < ($2 >> 16) << 16
    OFFSET 0
  ) a
  WHERE a.at >= $3::bigint * 3600 AND a.at < $4::bigint * 3600 AND a.{column} = ANY ($5)
) part
