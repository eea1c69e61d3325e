-- A page of a tenant's connections with their usage. Grants and usage are those of client and resource.
-- $1 tenant  $2 after this id  $3 rows  $4 clients  $5 resources  $6 agents  $7 from  $8 to
WITH page AS MATERIALIZED (
  SELECT id, from_ix, state, at, idp_client, client, res, agent, scopes
  FROM connection_version
  WHERE tenant = $1 AND to_ix IS NULL
    AND ($2::bytea IS NULL OR id > $2)
    AND ($4::int[] IS NULL OR client = ANY ($4) OR idp_client = ANY ($4))
    AND ($5::int[] IS NULL OR res = ANY ($5))
    AND ($6::int[] IS NULL OR agent = ANY ($6))
  ORDER BY id
  LIMIT $3
),
pair AS MATERIALIZED (SELECT DISTINCT client, res FROM page),
holder AS MATERIALIZED (
  SELECT g.client, g.res, g.usr
  FROM pair p JOIN grant_version g ON g.tenant = $1 AND g.client = p.client AND g.res = p.res AND g.to_ix IS NULL
),
held AS (SELECT client, res, count(*)::int AS users FROM holder GROUP BY client, res),
scope_used AS (
  SELECT f.client, f.res, array_agg(e.parts ->> 0 ORDER BY e.parts ->> 0) AS scopes
  FROM (
    SELECT DISTINCT h.client, h.res, f.scope
    FROM holder h JOIN first_use f ON f.tenant = $1 AND f.usr = h.usr AND f.client = h.client AND f.res = h.res
  ) f
  JOIN entity e ON e.tenant = $1 AND e.id = f.scope
  GROUP BY f.client, f.res
),
usage AS (
  SELECT a.client, a.res, sum(a.n) AS accesses,
         coalesce(sum(a.n) FILTER (WHERE a.outcome = 1), 0) AS allowed,
         min(a.at) FILTER (WHERE a.outcome = 1) AS first_used,
         max(a.until_at) FILTER (WHERE a.outcome = 1) AS last_used
  FROM access a
  WHERE a.tenant = $1 AND a.client = ANY (ARRAY(SELECT client FROM pair)) AND a.res = ANY (ARRAY(SELECT res FROM pair))
    AND a.at >= $7::bigint AND a.at < $8::bigint
  GROUP BY a.client, a.res
)
SELECT p.*, e.arrival, coalesce(h.users, 0) AS users, coalesce(s.scopes, '{}') AS used_scopes,
       coalesce(u.accesses, 0) AS accesses, coalesce(u.allowed, 0) AS allowed, u.first_used, u.last_used
FROM page p
JOIN entry e ON e.tenant = $1 AND e.ix = p.from_ix
LEFT JOIN held h USING (client, res)
LEFT JOIN scope_used s USING (client, res)
LEFT JOIN usage u USING (client, res)
ORDER BY p.id
