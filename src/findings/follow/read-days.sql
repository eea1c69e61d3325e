-- Adds up the uses of a step by the days of their users, clients and resources. Earlier uses that turned out to be second hops are added as such alone.
-- $1 tenant  $2 from  $3 to  $4 time to look back to
WITH fresh AS MATERIALIZED (
{fresh}
),
hop AS MATERIALIZED (
{hop}
),
late AS MATERIALIZED (
{late_hops}
),
used AS (
  SELECT f.client, f.res, f.usr, f.at, f.until_at, CASE f.outcome WHEN 1 THEN f.n END AS allowed, CASE f.outcome WHEN 2 THEN f.n END AS denied,
         CASE f.outcome WHEN 1 THEN f.records END AS records, CASE WHEN f.outcome = 1 AND f.tok IN (SELECT tok FROM hop) THEN f.n END AS hops
  FROM fresh f
  UNION ALL
  SELECT client, res, usr, at, until_at, NULL, NULL, NULL, n FROM late
)
  SELECT client, res, usr, (at / 86400)::int AS day, coalesce(sum(allowed), 0) AS allowed, coalesce(sum(denied), 0) AS denied,
         coalesce(sum(records), 0) AS records, coalesce(sum(hops), 0) AS hops, min(at) AS first_at, max(until_at) AS last_at
  FROM used
  WHERE client IS NOT NULL AND res IS NOT NULL AND usr IS NOT NULL
  GROUP BY 1, 2, 3, 4
