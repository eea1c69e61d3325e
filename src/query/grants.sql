-- A page of a tenant's standing grants with their usage.
-- $1 tenant  $2, $3, $4 after this user, client, resource  $5 rows  $6 users  $7 clients  $8 resources  $9 agents  $10 from  $11 to
WITH page AS MATERIALIZED (
  SELECT usr, client, res, agent, scopes
  FROM grant_version
  WHERE tenant = $1 AND to_ix IS NULL
    AND (usr, client, res) > ($2::int, $3::int, $4::int)
    AND ($6::int[] IS NULL OR usr = ANY ($6))
    AND ($7::int[] IS NULL OR client = ANY ($7))
    AND ($8::int[] IS NULL OR res = ANY ($8))
    AND ($9::int[] IS NULL OR agent = ANY ($9))
  ORDER BY usr, client, res
  LIMIT $5
),
usage AS (
  SELECT a.usr, a.client, a.res, sum(a.n) AS accesses,
         coalesce(sum(a.n) FILTER (WHERE a.outcome = 1), 0) AS allowed,
         min(a.at) FILTER (WHERE a.outcome = 1) AS first_used,
         max(a.until_at) FILTER (WHERE a.outcome = 1) AS last_used
  FROM access a
  WHERE a.tenant = $1 AND a.usr = ANY (ARRAY(SELECT usr FROM page))
    AND a.at >= $10::bigint AND a.at < $11::bigint
  GROUP BY a.usr, a.client, a.res
)
SELECT p.*, f.ix AS first_ix, e.arrival AS first_arrival,
       (SELECT coalesce(array_agg(s.parts ->> 0 ORDER BY s.parts ->> 0), '{}')
        FROM first_use x JOIN entity s ON s.tenant = $1 AND s.id = x.scope
        WHERE x.tenant = $1 AND x.usr = p.usr AND x.client = p.client AND x.res = p.res) AS used_scopes,
       coalesce(u.accesses, 0) AS accesses, coalesce(u.allowed, 0) AS allowed, u.first_used, u.last_used
FROM page p
CROSS JOIN LATERAL (
  SELECT min(g.from_ix) AS ix FROM grant_version g
  WHERE g.tenant = $1 AND g.usr = p.usr AND g.client = p.client AND g.res = p.res
) f
JOIN entry e ON e.tenant = $1 AND e.ix = f.ix
LEFT JOIN usage u USING (usr, client, res)
ORDER BY p.usr, p.client, p.res
