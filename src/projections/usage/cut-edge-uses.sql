-- Sums attributed uses by client and resource that became known in the block of index $2, below $2, from the single uses.
-- $1 tenant  $2 index  $3 clients  $4 resources, null: all
SELECT client, res, sum(n::float8) AS n, coalesce(sum(n::float8) FILTER (WHERE outcome = 1), 0) AS allowed, min(at)::float8 AS first_at, max(until_at)::float8 AS last_at,
       (min(at) FILTER (WHERE outcome = 1))::float8 AS first_allowed, (max(until_at) FILTER (WHERE outcome = 1))::float8 AS last_allowed
FROM (
  -- OFFSET makes the planner find the uses by index: as many however long the ledger is. By client or resource it would walk all their uses.
  (SELECT client, res, n, outcome, at, until_at FROM access a
   WHERE a.tenant = $1 AND a.ix >= ($2::bigint >> 16) << 16 AND a.ix < $2 AND a.bound_ix < $2 OFFSET 0)
  UNION ALL
  (SELECT client, res, n, outcome, at, until_at FROM access a
   WHERE a.tenant = $1 AND a.bound_ix > a.ix AND a.bound_ix >= ($2 >> 16) << 16 AND a.bound_ix < $2 AND a.ix < ($2 >> 16) << 16 OFFSET 0)
) o
WHERE res IS NOT NULL AND ($3::int[] IS NULL OR client = ANY ($3)) AND ($4::int[] IS NULL OR res = ANY ($4))
GROUP BY client, res
