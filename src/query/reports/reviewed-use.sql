-- What was done under some grants, and since when they stand. Uses: allowed ones, of each user added up from access_usr alone, which holds
-- all that is needed: joined to the grants first, everybody's uses may be read.
-- $1 tenant  $2 as of  $3 users  $4 clients  $5 resources  $6 30 days ago  $7 90 days ago
WITH page AS MATERIALIZED (
  SELECT nth, usr, client, res FROM unnest($3::int[], $4::int[], $5::int[]) WITH ORDINALITY AS p (usr, client, res, nth)
),
used AS MATERIALIZED (
  SELECT u.usr, a.*
  FROM (SELECT DISTINCT usr FROM page) u
  CROSS JOIN LATERAL (
    SELECT client, res, max(until_at) AS last_used,
           coalesce(sum(n) FILTER (WHERE at >= $6::bigint), 0) AS uses_30, coalesce(sum(n) FILTER (WHERE at >= $7::bigint), 0) AS uses_90
    FROM access a
    WHERE a.tenant = $1 AND a.usr = u.usr AND a.outcome = 1 AND a.ix < $2::bigint AND a.bound_ix < $2
    GROUP BY client, res
  ) a
)
SELECT p.nth, e.ix AS first_ix, e.arrival AS first_arrival, u.last_used, coalesce(u.uses_30, 0) AS uses_30, coalesce(u.uses_90, 0) AS uses_90,
       ARRAY(SELECT s.parts ->> 0 FROM first_use f JOIN entity s ON s.tenant = $1 AND s.id = f.scope
             WHERE f.tenant = $1 AND f.usr = p.usr AND f.client = p.client AND f.res = p.res AND f.first_ix < $2 ORDER BY 1) AS used_scopes
FROM page p
LEFT JOIN used u USING (usr, client, res)
CROSS JOIN LATERAL (
  SELECT from_ix AS ix FROM grant_version g WHERE g.tenant = $1 AND g.usr = p.usr AND g.client = p.client AND g.res = p.res ORDER BY from_ix LIMIT 1
) f
CROSS JOIN LATERAL (SELECT ix, arrival FROM entry e WHERE e.tenant = $1 AND e.ix = f.ix LIMIT 1) e
ORDER BY p.nth
