-- Finds sensitive uses by a client at a resource within a day after a connection, a grant or a use first showed the two together, and at a resource whose
-- every use is sensitive by an agent within a day after its first use there through the client; once the ledger is old enough to know who is new. Uses before
-- are those that came before.
-- $1 tenant  $2 from  $3 to  $4 days
WITH fresh AS (
{fresh}
),
sensitive AS MATERIALIZED (
{sensitive}
),
began AS (SELECT arrival / 1000 AS at FROM entry WHERE tenant = $1 AND ix = 0),
used AS (
  SELECT f.usr, f.client, f.res, f.agent, f.op, f.n, f.at, f.until_at, f.ix, greatest(f.ix, f.bound_ix) AS known_ix, (f.at / 86400)::int AS day,
         min((f.at / 86400)::int) OVER (PARTITION BY f.client, f.res ORDER BY greatest(f.ix, f.bound_ix)) AS first_day
  FROM fresh f
  WHERE f.outcome = 1 AND f.client IS NOT NULL AND f.res IS NOT NULL
),
acted AS (
  SELECT u.*, coalesce(s.every, false) AS every
  FROM used u
  CROSS JOIN began b
  LEFT JOIN sensitive s ON s.res = u.res
  WHERE coalesce(s.every, u.op >= 3) AND u.at - b.at >= $4::int * 86400
),
judged AS (
  SELECT a.*,
    a.day = a.first_day
    AND EXISTS (SELECT FROM edge_seen s JOIN entry i ON i.tenant = $1 AND i.ix = s.first_ix
                WHERE s.tenant = $1 AND s.client = a.client AND s.res = a.res AND a.at - i.arrival / 1000 < 86400)
    AND NOT EXISTS (SELECT FROM finding_day d WHERE d.tenant = $1 AND d.client = a.client AND d.res = a.res AND d.day < a.day AND d.allowed > 0) AS by_new_client,
    a.every AND EXISTS (SELECT FROM edge_agent_used g JOIN entry i ON i.tenant = $1 AND i.ix = g.first_ix
                WHERE g.tenant = $1 AND g.client = a.client AND g.res = a.res AND g.agent = a.agent AND a.at - i.arrival / 1000 < 86400) AS by_new_agent
  FROM acted a
)
SELECT concat_ws(' ', client, res, agent) AS subject, usr, client, agent, res, n AS count, at AS first_at, until_at AS last_at, ARRAY[ix] AS entries,
       jsonb_build_object(CASE op WHEN 1 THEN 'read' WHEN 2 THEN 'write' WHEN 3 THEN 'delete' WHEN 4 THEN 'export' ELSE 'admin' END, true)
         || CASE WHEN by_new_client THEN '{}'::jsonb ELSE '{"new": "agent"}' END AS details
FROM judged
WHERE by_new_client OR by_new_agent
ORDER BY known_ix, ix
