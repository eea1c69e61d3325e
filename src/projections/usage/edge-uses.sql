-- Attributed uses by client and resource, as of an index: the last snapshot, the closed blocks since, and of the open one the uses themselves;
-- of the present the open block's own sums.
-- $1 tenant  $2 as of  $3 whether that is the present  $4 clients  $5 resources, null: all
WITH closed AS MATERIALIZED (
  SELECT b.up_to, coalesce((SELECT max(snap) FROM edge_cum WHERE tenant = $1 AND snap <= b.up_to), 0) AS snap
  FROM (SELECT (CASE WHEN $3::boolean THEN ($2::bigint + 65535) >> 16 ELSE $2::bigint >> 16 END)::int AS up_to) b
),
part AS (
  SELECT c.client, c.res, c.n, c.allowed, c.reads, c.writes, c.deletes, c.exports, c.admins, c.records, c.bytes,
         c.first_at, c.last_at, c.first_allowed, c.last_allowed
  FROM closed JOIN edge_cum c ON c.tenant = $1 AND c.snap = closed.snap
  WHERE ($4::int[] IS NULL OR c.client = ANY ($4)) AND ($5::int[] IS NULL OR c.res = ANY ($5))
  UNION ALL
  SELECT u.client, u.res, u.n, u.allowed, u.reads, u.writes, u.deletes, u.exports, u.admins, u.records, u.bytes,
         u.first_at, u.last_at, u.first_allowed, u.last_allowed
  FROM closed CROSS JOIN generate_series(closed.snap, closed.up_to - 1) AS b (blk)
  -- Block by block through the index: OFFSET keeps the planner from reading all blocks to join them.
  CROSS JOIN LATERAL (
    SELECT * FROM edge_use u
    WHERE u.tenant = $1 AND u.blk = b.blk AND ($4 IS NULL OR u.client = ANY ($4)) AND ($5 IS NULL OR u.res = ANY ($5))
    OFFSET 0
  ) u
  UNION ALL
  -- Summed before they are sorted with the rest: tens of thousands of rows become one a pair.
  SELECT client, res, sum(n), coalesce(sum(n) FILTER (WHERE outcome = 1), 0),
         coalesce(sum(n) FILTER (WHERE outcome = 1 AND op = 1), 0), coalesce(sum(n) FILTER (WHERE outcome = 1 AND op = 2), 0),
         coalesce(sum(n) FILTER (WHERE outcome = 1 AND op = 3), 0), coalesce(sum(n) FILTER (WHERE outcome = 1 AND op = 4), 0),
         coalesce(sum(n) FILTER (WHERE outcome = 1 AND op = 5), 0),
         coalesce(sum(records) FILTER (WHERE outcome = 1), 0), coalesce(sum(bytes) FILTER (WHERE outcome = 1), 0),
         min(at), max(until_at), min(at) FILTER (WHERE outcome = 1), max(until_at) FILTER (WHERE outcome = 1)
  FROM (
    -- By their indexes, as many uses however long the ledger is: by client or resource the planner would walk all that these ever had.
    (SELECT client, res, n, outcome, op, at, until_at, records, bytes FROM access a
     WHERE NOT $3 AND a.tenant = $1 AND a.ix >= ($2::bigint >> 16) << 16 AND a.ix < $2 AND a.bound_ix < $2 OFFSET 0)
    UNION ALL
    (SELECT client, res, n, outcome, op, at, until_at, records, bytes FROM access a
     WHERE NOT $3 AND a.tenant = $1 AND a.bound_ix > a.ix AND a.bound_ix >= ($2 >> 16) << 16 AND a.bound_ix < $2 AND a.ix < ($2 >> 16) << 16 OFFSET 0)
  ) o
  WHERE res IS NOT NULL AND ($4 IS NULL OR client = ANY ($4)) AND ($5 IS NULL OR res = ANY ($5))
  GROUP BY client, res
)
SELECT client, res, sum(n) AS n, sum(allowed) AS allowed, sum(reads) AS reads, sum(writes) AS writes, sum(deletes) AS deletes, sum(exports) AS exports, sum(admins) AS admins, sum(records) AS records, sum(bytes) AS bytes,
       min(first_at) AS first_at, max(last_at) AS last_at, min(first_allowed) AS first_allowed, max(last_allowed) AS last_allowed
FROM part
GROUP BY client, res
