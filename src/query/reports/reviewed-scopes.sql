-- Reads when grants were first given, and which scopes were used under them.
-- $1 tenant  $2 as of  $3 users  $4 clients  $5 resources
SELECT e.ix AS first_ix, e.arrival AS first_arrival,
       ARRAY(SELECT s.parts ->> 0 FROM first_use f JOIN entity s ON s.tenant = $1 AND s.id = f.scope
             WHERE f.tenant = $1 AND f.usr = p.usr AND f.client = p.client AND f.res = p.res AND f.first_ix < $2::bigint ORDER BY 1) AS used_scopes
FROM unnest($3::int[], $4::int[], $5::int[]) WITH ORDINALITY AS p (usr, client, res, nth)
CROSS JOIN LATERAL (
  SELECT from_ix AS ix FROM grant_version g WHERE g.tenant = $1 AND g.usr = p.usr AND g.client = p.client AND g.res = p.res ORDER BY from_ix LIMIT 1
) f
CROSS JOIN LATERAL (SELECT ix, arrival FROM entry e WHERE e.tenant = $1 AND e.ix = f.ix LIMIT 1) e
ORDER BY p.nth
