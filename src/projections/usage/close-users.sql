-- Sums up the uses of users in the blocks that have closed since the last call.  $1 tenants  $2 the open block
-- Returns the tenants whose blocks were summed up already.
WITH due AS MATERIALIZED (
  SELECT w.tenant, w.blk, coalesce(e.blk, 0) AS before, coalesce(e.blk, 0)::bigint << 14 AS first_ix, w.blk::bigint << 14 AS end_ix
  FROM unnest($1::uuid[], $2::int[]) AS w (tenant, blk) LEFT JOIN use_usr_end e ON e.tenant = w.tenant
),
attributed AS (
  SELECT a.*
  FROM due d CROSS JOIN LATERAL (
    (SELECT * FROM access a
     WHERE a.tenant = d.tenant AND a.ix >= d.first_ix AND a.ix < d.end_ix AND a.bound_ix < d.end_ix OFFSET 0)
    UNION ALL
    (SELECT * FROM access a
     WHERE a.tenant = d.tenant AND a.bound_ix > a.ix AND a.bound_ix >= d.first_ix AND a.bound_ix < d.end_ix AND a.ix < d.first_ix OFFSET 0)
  ) a
  WHERE a.usr IS NOT NULL AND a.res IS NOT NULL
),
-- Grouped here first, by hash, so that the next step has far fewer rows to sort.
counted AS (
  SELECT tenant, usr, client, res, (bound_ix >> 14)::int AS blk, CASE WHEN agent_ix IS NULL THEN agent END AS agent,
         sum(n) AS n, coalesce(sum(n) FILTER (WHERE outcome = 1), 0) AS allowed, min(at) AS first_at, max(until_at) AS last_at,
         min(at) FILTER (WHERE outcome = 1) AS first_allowed, max(until_at) FILTER (WHERE outcome = 1) AS last_allowed
  FROM attributed
  GROUP BY 1, 2, 3, 4, 5, 6
),
-- Sorted, so that the rows of a user lie together, as they are read.
kept AS (
  INSERT INTO use_usr (tenant, usr, client, res, blk, n, allowed, first_at, last_at, first_allowed, last_allowed, agents)
  SELECT tenant, usr, client, res, blk, capped(sum(n)), capped(sum(allowed)), min(first_at), max(last_at), min(first_allowed), max(last_allowed),
         array_agg(agent ORDER BY agent) FILTER (WHERE agent IS NOT NULL)
  FROM counted
  GROUP BY tenant, blk, usr, client, res
  ORDER BY tenant, blk, usr, client, res
),
ended AS (
  INSERT INTO use_usr_end (tenant, blk) SELECT tenant, blk FROM due WHERE blk > before
  ON CONFLICT (tenant) DO UPDATE SET blk = excluded.blk
)
SELECT tenant, before AS blk FROM due WHERE before >= blk
