-- Finds deletions, exports and administration by a client on the first day of its use of a resource, once the ledger is old enough to know who is new.
-- $1 tenant  $2 from  $3 to  $4 days
WITH fresh AS MATERIALIZED (
{fresh}
),
began AS (SELECT arrival / 1000 AS at FROM entry WHERE tenant = $1 AND ix = 0),
acted AS MATERIALIZED (
  SELECT client, res, (min(at) / 86400)::int AS day, min(usr) AS usr, min(agent) AS agent, sum(n) AS n, min(at) AS first_at, max(until_at) AS last_at, min(op) AS least, max(op) AS most,
         (array_agg(ix ORDER BY at, ix))[1:20] AS entries
  FROM fresh
  WHERE outcome = 1 AND op >= 3 AND client IS NOT NULL AND res IS NOT NULL
  GROUP BY client, res
)
SELECT concat_ws(' ', client, res) AS subject, usr, client, agent, res, n AS count, first_at, last_at, entries,
       jsonb_build_object('operation', CASE most WHEN 3 THEN 'delete' WHEN 4 THEN 'export' ELSE 'admin' END) AS details
FROM acted a, began b
WHERE a.first_at - b.at >= $4::int * 86400
  AND NOT EXISTS (SELECT FROM finding_day d WHERE d.tenant = $1 AND d.client = a.client AND d.res = a.res AND d.day < a.day AND d.allowed > 0)
