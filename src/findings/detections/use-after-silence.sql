-- Finds the first uses of a client at a resource after days of silence: since its last use, or since the connection was approved if it was never used.
-- A silence says something if the client was there on many days before. A first use says something if it reads much.
-- $1 tenant  $2 from  $3 to  $4 days  $5 records  $6 days of use
WITH fresh AS MATERIALIZED (
{fresh}
),
woke AS MATERIALIZED (
  SELECT client, res, (min(at) / 86400)::int AS day, min(at) AS first_at, max(until_at) AS last_at, min(usr) AS usr, min(agent) AS agent, sum(n) AS n, coalesce(sum(records), 0) AS records,
         (array_agg(ix ORDER BY at, ix))[1:20] AS entries
  FROM fresh
  WHERE outcome = 1 AND client IS NOT NULL AND res IS NOT NULL
  GROUP BY client, res
),
-- Uses of the same day are part of the same awakening.
quiet AS MATERIALIZED (
  SELECT w.* FROM woke w
  WHERE NOT EXISTS (SELECT FROM finding_day d WHERE d.tenant = $1 AND d.client = w.client AND d.res = w.res AND d.day >= w.day - $4::int AND d.day < w.day)
),
silent AS (
  SELECT q.*, coalesce(before.last_at, approved.at) AS since, before.last_at IS NULL AS never, before.days, before.span
  FROM quiet q
  CROSS JOIN LATERAL (
    SELECT max(d.last_at) AS last_at, count(DISTINCT d.day) AS days, max(d.day) - min(d.day) + 1 AS span
    FROM finding_day d WHERE d.tenant = $1 AND d.client = q.client AND d.res = q.res AND d.day < q.day AND d.allowed > 0
  ) before
  CROSS JOIN LATERAL (
    SELECT max(c.at) AS at FROM connection_version c
    WHERE c.tenant = $1 AND c.client = q.client AND c.res = q.res AND c.state = 1 AND c.at > 0 AND c.at < q.first_at
  ) approved
)
SELECT concat_ws(' ', client, res, day) AS subject, usr, client, agent, res, n AS count, first_at, last_at, entries,
       jsonb_build_object('days', (first_at - since) / 86400, 'never_used', never, 'records', records) AS details
FROM silent
WHERE since IS NOT NULL AND first_at - since >= $4::int * 86400
  AND CASE WHEN never THEN records >= $5::bigint ELSE days >= $6::int AND span <= 2 * days END
