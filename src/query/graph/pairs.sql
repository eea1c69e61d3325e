-- Clients and resources that have to do with each other as of an index, with how many users hold a grant, agents, and the name at
-- the IdP that an event has tied to the client first. Lists are words: arrays of thousands of rows take long to parse.
--  $1 tenant  $2 as of  $3 clients  $4 resources, null: all  $5 rows
WITH pair AS MATERIALIZED (
  SELECT client, res, first_ix FROM edge_seen
  WHERE tenant = $1 AND first_ix < $2::bigint AND ($3::int[] IS NULL OR client = ANY ($3)) AND ($4::int[] IS NULL OR res = ANY ($4))
  LIMIT $5
),
acting AS (
  SELECT client, res, string_agg(DISTINCT agent::text, ' ') FILTER (WHERE NOT connected) AS agents,
         string_agg(DISTINCT agent::text, ' ') FILTER (WHERE connected) AS connection_agents
  FROM (
    SELECT client, res, agent, false AS connected FROM edge_agent_granted
    WHERE tenant = $1 AND first_ix < $2 AND ($3 IS NULL OR client = ANY ($3)) AND ($4 IS NULL OR res = ANY ($4))
    UNION ALL
    SELECT client, res, agent, false FROM edge_agent_used
    WHERE tenant = $1 AND first_ix < $2 AND ($3 IS NULL OR client = ANY ($3)) AND ($4 IS NULL OR res = ANY ($4))
    UNION ALL
    SELECT client, res, agent, true FROM connection_version
    WHERE tenant = $1 AND agent IS NOT NULL AND from_ix < $2 AND (to_ix IS NULL OR to_ix >= $2)
      AND ($3 IS NULL OR client = ANY ($3)) AND ($4 IS NULL OR res = ANY ($4))
  ) a
  GROUP BY client, res
),
shown AS (
  SELECT c.client, a.idp FROM (SELECT DISTINCT client FROM pair) c
  CROSS JOIN LATERAL (SELECT idp FROM alias WHERE tenant = $1 AND local = c.client AND from_ix < $2 ORDER BY from_ix, idp LIMIT 1) a
)
SELECT p.client, p.res, p.first_ix, a.agents, a.connection_agents, g.grants, s.idp AS shown_as
FROM pair p
LEFT JOIN shown s USING (client)
LEFT JOIN acting a USING (client, res)
-- Users come with a grant's first version and stay: the last count is that of the moment.
LEFT JOIN LATERAL (
  SELECT grants FROM edge_grant e
  WHERE e.tenant = $1 AND e.client = p.client AND e.res = p.res AND e.from_ix < $2 ORDER BY e.from_ix DESC LIMIT 1
) g ON true
