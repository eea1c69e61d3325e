-- Finds deletions, exports and administration by a client at a resource within a day after a connection, a grant or a use first showed the two together, once the
-- ledger is old enough to know who is new.
-- $1 tenant  $2 from  $3 to  $4 days
WITH fresh AS (
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
SELECT concat_ws(' ', a.client, a.res) AS subject, a.usr, a.client, a.agent, a.res, a.n AS count, a.first_at, a.last_at, a.entries,
       jsonb_build_object('operation', CASE most WHEN 3 THEN 'delete' WHEN 4 THEN 'export' ELSE 'admin' END) AS details
FROM acted a
CROSS JOIN began b
JOIN edge_seen s ON s.tenant = $1 AND s.client = a.client AND s.res = a.res
JOIN entry i ON i.tenant = $1 AND i.ix = s.first_ix
WHERE a.first_at - b.at >= $4::int * 86400 AND a.first_at - i.arrival / 1000 < 86400
  AND NOT EXISTS (SELECT FROM finding_day d WHERE d.tenant = $1 AND d.client = a.client AND d.res = a.res AND d.day < a.day AND d.allowed > 0)
