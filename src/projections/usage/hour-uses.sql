-- Sums attributed uses by hour, as of an index: the sums of closed blocks, and the single uses of the open block.
-- The texts in braces come from a closed list in read.pg.ts: the table, and the filter by client or resource.
-- $1 tenant  $2 as of  $3, $4 first hour, and the hour after the last  $5 clients or resources
WITH part AS (
  SELECT u.hour, u.n, u.allowed, u.reads, u.writes, u.deletes, u.exports, u.admins, u.records, u.bytes
  FROM {table} u
  WHERE u.tenant = $1 AND u.hour >= $3::int AND u.hour < $4::int AND u.blk < ($2::bigint >> 16)::int
    AND {stored}
  UNION ALL
  SELECT (a.at / 3600)::int AS hour,
         a.n, CASE WHEN a.outcome = 1 THEN a.n ELSE 0 END AS allowed,
         CASE WHEN a.outcome = 1 AND a.op = 1 THEN a.n ELSE 0 END AS reads, CASE WHEN a.outcome = 1 AND a.op = 2 THEN a.n ELSE 0 END AS writes,
         CASE WHEN a.outcome = 1 AND a.op = 3 THEN a.n ELSE 0 END AS deletes, CASE WHEN a.outcome = 1 AND a.op = 4 THEN a.n ELSE 0 END AS exports,
         CASE WHEN a.outcome = 1 AND a.op = 5 THEN a.n ELSE 0 END AS admins,
         CASE WHEN a.outcome = 1 THEN coalesce(a.records, 0) ELSE 0 END AS records, CASE WHEN a.outcome = 1 THEN coalesce(a.bytes, 0) ELSE 0 END AS bytes
  -- OFFSET makes the planner find the block's uses by index: as many however long the ledger is. By client or resource it would walk all uses.
  FROM (
    SELECT * FROM access a
    WHERE a.tenant = $1 AND a.ix >= ($2::bigint >> 16) << 16 AND a.ix < $2 AND a.bound_ix < $2
    OFFSET 0
  ) a
  WHERE a.at >= $3::bigint * 3600 AND a.at < $4::bigint * 3600 AND {raw}
  UNION ALL
  SELECT (a.at / 3600)::int AS hour,
         a.n, CASE WHEN a.outcome = 1 THEN a.n ELSE 0 END AS allowed,
         CASE WHEN a.outcome = 1 AND a.op = 1 THEN a.n ELSE 0 END AS reads, CASE WHEN a.outcome = 1 AND a.op = 2 THEN a.n ELSE 0 END AS writes,
         CASE WHEN a.outcome = 1 AND a.op = 3 THEN a.n ELSE 0 END AS deletes, CASE WHEN a.outcome = 1 AND a.op = 4 THEN a.n ELSE 0 END AS exports,
         CASE WHEN a.outcome = 1 AND a.op = 5 THEN a.n ELSE 0 END AS admins,
         CASE WHEN a.outcome = 1 THEN coalesce(a.records, 0) ELSE 0 END AS records, CASE WHEN a.outcome = 1 THEN coalesce(a.bytes, 0) ELSE 0 END AS bytes
  -- The few uses that were bound late, in the same way.
  FROM (
    SELECT * FROM access a
    WHERE a.tenant = $1 AND a.bound_ix > a.ix AND a.bound_ix >= ($2 >> 16) << 16 AND a.bound_ix < $2 AND a.ix < ($2 >> 16) << 16
    OFFSET 0
  ) a
  WHERE a.at >= $3::bigint * 3600 AND a.at < $4::bigint * 3600 AND {raw}
)
SELECT hour, sum(n) AS n, sum(allowed) AS allowed, sum(reads) AS reads, sum(writes) AS writes, sum(deletes) AS deletes, sum(exports) AS exports, sum(admins) AS admins, sum(records) AS records, sum(bytes) AS bytes
FROM part
GROUP BY hour
ORDER BY hour
