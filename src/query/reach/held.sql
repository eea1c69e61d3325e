-- Counts the users, clients, agents and resources that standing grants and live tokens reach, and lists those of each
-- kind with the most grants. A name at a RAS and a name at the IdP count as one person if they are tied. The words in
-- braces are replaced from a closed list in held.pg.ts: the grants of the start.
-- $1 tenant  $2 as of  $3 ids or name  $4 grants read at most  $5 items shown of a kind
-- Live tokens, an element for each token and resource: $6 users  $7 clients  $8 agents  $9 resources
WITH reached AS MATERIALIZED (
  SELECT DISTINCT t.usr, t.client, t.agent, t.res FROM unnest($6::int[], $7::int[], $8::int[], $9::int[]) AS t (usr, client, agent, res)
),
driven AS MATERIALIZED (
  {driven}
  LIMIT $4
),
standing AS MATERIALIZED (
  SELECT usr, client, res, agent FROM driven
  UNION
  SELECT g.usr, g.client, g.res, g.agent FROM (SELECT DISTINCT usr, client, res FROM reached) r
  CROSS JOIN LATERAL (
    SELECT * FROM grant_version g WHERE g.tenant = $1 AND g.usr = r.usr AND g.client = r.client AND g.res = r.res AND g.from_ix < $2::bigint AND (g.to_ix IS NULL OR g.to_ix >= $2)
    LIMIT 1
  ) g
),
part AS MATERIALIZED (
  SELECT usr, client, res, agent, 1 AS grants FROM standing UNION ALL SELECT usr, client, res, agent, 0 FROM reached
),
person AS MATERIALIZED (
  SELECT u.usr, {person} AS person FROM (SELECT DISTINCT usr FROM part WHERE usr IS NOT NULL) u
),
counted AS (
  SELECT 'users' AS kind, p.person AS id, sum(c.grants) AS grants, array_agg(DISTINCT c.usr) AS names FROM part c JOIN person p ON p.usr = c.usr GROUP BY p.person
  UNION ALL
  SELECT CASE WHEN grouping(client) = 0 THEN 'clients' WHEN grouping(agent) = 0 THEN 'agents' ELSE 'resources' END, coalesce(client, agent, res), sum(grants), NULL
  FROM part GROUP BY GROUPING SETS ((client), (agent), (res))
),
ranked AS (
  SELECT kind, id, grants, names, row_number() OVER (PARTITION BY kind ORDER BY grants DESC, id) AS place, count(*) OVER (PARTITION BY kind) AS total
  FROM counted WHERE id IS NOT NULL
)
SELECT kind, id, grants, names, place, total, false AS cut_off FROM ranked WHERE place <= $5
UNION ALL
SELECT 'grants', 0, (SELECT count(*) FROM standing), NULL, 0, 0, (SELECT count(*) >= $4 FROM driven)
ORDER BY kind, place
