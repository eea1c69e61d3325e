-- Reads a page of a tenant's grants as they were at an index, with their used scopes.
-- $1 tenant  $2, $3, $4 after this user, client, resource  $5 rows  $6 users  $7 clients  $8 resources  $9 agents  $10
-- as of
WITH page AS MATERIALIZED (
  SELECT usr, client, res, agent, scopes
  FROM grant_version
  WHERE tenant = $1 AND from_ix < $10::bigint AND (to_ix IS NULL OR to_ix >= $10)
    AND (usr, client, res) > ($2::int, $3::int, $4::int)
    AND ($6::int[] IS NULL OR usr = ANY ($6))
    AND ($7::int[] IS NULL OR client = ANY ($7))
    AND ($8::int[] IS NULL OR res = ANY ($8))
    AND ($9::int[] IS NULL OR agent = ANY ($9))
  ORDER BY usr, client, res
  LIMIT $5
)
SELECT p.*, f.ix AS first_ix, e.arrival AS first_arrival,
       (SELECT coalesce(array_agg(s.parts ->> 0 ORDER BY s.parts ->> 0), '{}')
        FROM first_use x JOIN entity s ON s.tenant = $1 AND s.id = x.scope
        WHERE x.tenant = $1 AND x.usr = p.usr AND x.client = p.client AND x.res = p.res AND x.first_ix < $10) AS used_scopes
FROM page p
CROSS JOIN LATERAL (
  SELECT min(g.from_ix) AS ix FROM grant_version g
  WHERE g.tenant = $1 AND g.usr = p.usr AND g.client = p.client AND g.res = p.res
) f
JOIN entry e ON e.tenant = $1 AND e.ix = f.ix
ORDER BY p.usr, p.client, p.res
