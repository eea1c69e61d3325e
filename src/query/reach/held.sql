-- Whom and what is reached by standing grants and live tokens: of each kind the number, and those with the most grants. What stands in braces is
-- one of a closed list in held.pg.ts.
-- $1 tenant  $2 as of  $3 ids  $4 grants counted at most  $5 shown of a kind
-- of live tokens, an element a token and resource: $6 users  $7 clients  $8 agents  $9 resources
WITH reached AS MATERIALIZED (
  SELECT DISTINCT t.usr, t.client, t.agent, t.res FROM unnest($6::int[], $7::int[], $8::int[], $9::int[]) AS t (usr, client, agent, res)
),
standing AS MATERIALIZED (
  SELECT usr, client, res, agent FROM (
    SELECT g.usr, g.client, g.res, g.agent FROM grant_version g
    WHERE g.tenant = $1 AND {driven} AND g.from_ix < $2::bigint AND (g.to_ix IS NULL OR g.to_ix >= $2)
    UNION
    SELECT g.usr, g.client, g.res, g.agent FROM (SELECT DISTINCT usr, client, res FROM reached) r
    JOIN grant_version g ON g.tenant = $1 AND g.usr = r.usr AND g.client = r.client AND g.res = r.res
    WHERE g.from_ix < $2 AND (g.to_ix IS NULL OR g.to_ix >= $2)
  ) g
  LIMIT $4
),
pair AS (
  SELECT usr, client, res, agent, 1 AS grants FROM standing
  UNION ALL
  SELECT usr, client, res, agent, 0 FROM reached
),
counted AS (
  SELECT CASE WHEN grouping(usr) = 0 THEN 'users' WHEN grouping(client) = 0 THEN 'clients' WHEN grouping(agent) = 0 THEN 'agents' ELSE 'resources' END AS kind,
         coalesce(usr, client, agent, res) AS id, sum(grants) AS grants
  FROM pair GROUP BY GROUPING SETS ((usr), (client), (agent), (res))
),
ranked AS (
  SELECT kind, id, grants, row_number() OVER (PARTITION BY kind ORDER BY grants DESC, id) AS place, count(*) OVER (PARTITION BY kind) AS total
  FROM counted WHERE id IS NOT NULL
)
SELECT kind, id, grants, place, total FROM ranked WHERE place <= $5
UNION ALL
SELECT 'grants', 0, count(*), 0, 0 FROM standing
ORDER BY kind, place
