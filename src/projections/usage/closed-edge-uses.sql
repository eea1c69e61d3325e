-- Sums attributed uses by client and resource in all blocks below $2: the last snapshot and the blocks after it. The blocks must be closed,
-- so that they never change again.
-- $1 tenant  $2 block  $3 clients  $4 resources, null: all
WITH since AS MATERIALIZED (
  SELECT coalesce((SELECT max(snap) FROM edge_cum WHERE tenant = $1 AND snap <= $2::int), 0) AS snap
),
part AS (
  SELECT c.client, c.res, c.n, c.allowed, c.first_at, c.last_at, c.first_allowed, c.last_allowed
  FROM since JOIN edge_cum c ON c.tenant = $1 AND c.snap = since.snap
  WHERE ($3::int[] IS NULL OR c.client = ANY ($3)) AND ($4::int[] IS NULL OR c.res = ANY ($4))
  UNION ALL
  SELECT u.client, u.res, u.n, u.allowed, u.first_at, u.last_at, u.first_allowed, u.last_allowed
  FROM since CROSS JOIN generate_series(since.snap, $2 - 1) AS b (blk)
  -- OFFSET makes the planner look up block by block through the index instead of reading all blocks for a join.
  CROSS JOIN LATERAL (
    SELECT * FROM edge_use u
    WHERE u.tenant = $1 AND u.blk = b.blk AND ($3 IS NULL OR u.client = ANY ($3)) AND ($4 IS NULL OR u.res = ANY ($4))
    OFFSET 0
  ) u
)
SELECT client, res, sum(n::float8) AS n, sum(allowed::float8) AS allowed, min(first_at)::float8 AS first_at, max(last_at)::float8 AS last_at,
       min(first_allowed)::float8 AS first_allowed, max(last_allowed)::float8 AS last_allowed
FROM part
GROUP BY client, res
