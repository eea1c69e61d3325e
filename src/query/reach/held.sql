-- Whom and what is reached by standing grants and live tokens: of each kind the number, and those with the most grants. What stands in braces is
-- one of a closed list in held.pg.ts: client–resource pairs whose grants are read, and those grants.
-- $1 tenant  $2 as of  $3 ids  $4 grants read at most, evenly over pairs  $5 shown of a kind
-- of live tokens, an element a token and resource: $6 users  $7 clients  $8 agents  $9 resources
WITH reached AS MATERIALIZED (
  SELECT DISTINCT t.usr, t.client, t.agent, t.res FROM unnest($6::int[], $7::int[], $8::int[], $9::int[]) AS t (usr, client, agent, res)
),
found AS MATERIALIZED (
  {pairs}
),
share AS MATERIALIZED (SELECT greatest(10, $4::int / greatest(count(*), 1)) AS most FROM found),
driven AS MATERIALIZED (
  {driven}
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
-- Grants of a pair: as they are counted where that is known, else those that were read.
pair AS (
  SELECT s.client, s.res, coalesce(f.grants, count(*)) AS grants FROM standing s LEFT JOIN found f ON f.client = s.client AND f.res = s.res GROUP BY s.client, s.res, f.grants
),
counted AS (
  SELECT CASE WHEN grouping(usr) = 0 THEN 'users' ELSE 'agents' END AS kind, coalesce(usr, agent) AS id, sum(grants) AS grants
  FROM (SELECT usr, agent, 1 AS grants FROM standing UNION ALL SELECT usr, agent, 0 FROM reached) g GROUP BY GROUPING SETS ((usr), (agent))
  UNION ALL
  SELECT CASE WHEN grouping(client) = 0 THEN 'clients' ELSE 'resources' END, coalesce(client, res), sum(grants)
  FROM (SELECT client, res, grants FROM pair UNION ALL SELECT client, res, 0 FROM reached) g GROUP BY GROUPING SETS ((client), (res))
),
ranked AS (
  SELECT kind, id, grants, row_number() OVER (PARTITION BY kind ORDER BY grants DESC, id) AS place, count(*) OVER (PARTITION BY kind) AS total
  FROM counted WHERE id IS NOT NULL
)
SELECT kind, id, grants, place, total, false AS cut_off FROM ranked WHERE place <= $5
UNION ALL
SELECT 'grants', 0, (SELECT coalesce(sum(grants), 0) FROM pair), 0, 0, EXISTS (SELECT FROM driven GROUP BY pair HAVING count(*) >= (SELECT most FROM share))
ORDER BY kind, place
