-- Who reaches what: client to resource, from grants, usage and connections, busiest first. A RAS's client shows as the IdP's
-- where an ID-JAG has tied the two.
-- $1 tenant  $2 users  $3 clients  $4 agents  $5 resources  $6 from  $7 to  $8 rows
WITH held AS (
  SELECT client, res, count(*) AS grants, array_agg(DISTINCT agent) FILTER (WHERE agent IS NOT NULL) AS agents
  FROM grant_version
  WHERE tenant = $1 AND to_ix IS NULL
    AND ($2::int[] IS NULL OR usr = ANY ($2))
    AND ($3::int[] IS NULL OR client = ANY ($3))
    AND ($4::int[] IS NULL OR agent = ANY ($4))
    AND ($5::int[] IS NULL OR res = ANY ($5))
  GROUP BY client, res
),
used AS (
  SELECT client, res, sum(n) AS accesses, coalesce(sum(n) FILTER (WHERE outcome = 1), 0) AS allowed, max(until_at) AS last,
         array_agg(DISTINCT agent) FILTER (WHERE agent IS NOT NULL) AS agents
  FROM access
  WHERE tenant = $1 AND client IS NOT NULL AND res IS NOT NULL AND at >= $6::bigint AND at < $7::bigint
    AND ($2::int[] IS NULL OR usr = ANY ($2))
    AND ($3::int[] IS NULL OR client = ANY ($3))
    AND ($4::int[] IS NULL OR agent = ANY ($4))
    AND ($5::int[] IS NULL OR res = ANY ($5))
  GROUP BY client, res
),
approved AS (
  -- created (1) before observed (2) before deleted (0), where several connections share client and resource
  SELECT client, res, max(CASE state WHEN 1 THEN 3 WHEN 2 THEN 2 ELSE 1 END) AS standing,
         array_agg(DISTINCT agent) FILTER (WHERE agent IS NOT NULL) AS agents
  FROM connection_version c
  WHERE tenant = $1 AND to_ix IS NULL
    AND ($2::int[] IS NULL OR EXISTS (SELECT FROM held h WHERE h.client = c.client AND h.res = c.res)
      OR EXISTS (SELECT FROM used u WHERE u.client = c.client AND u.res = c.res))
    AND ($3::int[] IS NULL OR client = ANY ($3))
    AND ($4::int[] IS NULL OR agent = ANY ($4))
    AND ($5::int[] IS NULL OR res = ANY ($5))
  GROUP BY client, res
),
pair AS (
  SELECT client, res,
         coalesce(h.grants, 0) AS grants, coalesce(u.accesses, 0) AS accesses, coalesce(u.allowed, 0) AS allowed, u.last, a.standing,
         coalesce(h.agents, '{}') || coalesce(u.agents, '{}') || coalesce(a.agents, '{}') AS agents
  FROM held h FULL JOIN used u USING (client, res) FULL JOIN approved a USING (client, res)
),
named AS (
  SELECT coalesce((SELECT min(n.idp) FROM alias n WHERE n.tenant = $1 AND n.local = p.client), p.client) AS shown, p.* FROM pair p
)
SELECT shown AS client, res, sum(grants) AS grants, sum(accesses) AS accesses, sum(allowed) AS allowed, max(last) AS last,
       max(standing) AS standing,
       array_agg(DISTINCT client) AS ras_clients,
       ARRAY(SELECT DISTINCT x FROM named m, unnest(m.agents) AS x WHERE m.shown = n.shown AND m.res = n.res ORDER BY x) AS agents
FROM named n
GROUP BY shown, res
ORDER BY sum(accesses) DESC, sum(grants) DESC, shown, res
LIMIT $8
