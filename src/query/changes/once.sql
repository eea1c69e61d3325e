-- Lists facts that are recorded once about a client and a resource and came between two indexes: scopes granted and
-- used, agents, and the pair itself if no connection has named it.
-- $1 tenant  $2 since  $3 until  $4 clients  $5 resources, null: all
WITH acted AS (
  SELECT client, res, agent, first_ix AS ix FROM edge_agent_granted WHERE tenant = $1 AND first_ix >= $2::bigint AND first_ix < $3::bigint
  UNION ALL
  SELECT client, res, agent, first_ix FROM edge_agent_used WHERE tenant = $1 AND first_ix >= $2 AND first_ix < $3
  UNION ALL
  SELECT client, res, agent, from_ix FROM connection_version
  WHERE tenant = $1 AND agent IS NOT NULL AND from_ix >= $2 AND from_ix < $3
),
came AS (
  SELECT 'granted' AS what, client, res, scope AS name, NULL::int AS id, first_ix AS ix
  FROM edge_scope_granted WHERE tenant = $1 AND first_ix >= $2 AND first_ix < $3
  UNION ALL
  SELECT 'used', u.client, u.res, e.parts ->> 0, NULL, u.first_ix
  FROM edge_scope_used u JOIN entity e ON e.tenant = $1 AND e.id = u.scope
  WHERE u.tenant = $1 AND u.first_ix >= $2 AND u.first_ix < $3
  UNION ALL
  SELECT 'unrecorded', s.client, s.res, NULL, NULL, s.first_ix
  FROM edge_seen s
  WHERE s.tenant = $1 AND s.first_ix >= $2 AND s.first_ix < $3
    AND NOT EXISTS (SELECT FROM connection_version c WHERE c.tenant = $1 AND c.client = s.client AND c.res = s.res AND c.from_ix < $3)
  UNION ALL
  SELECT 'acting', a.client, a.res, NULL, a.agent, min(a.ix)
  FROM acted a
  -- The agent did not act at the pair before $2.
  WHERE NOT EXISTS (SELECT FROM edge_agent_granted g WHERE g.tenant = $1 AND g.client = a.client AND g.res = a.res AND g.agent = a.agent AND g.first_ix < $2)
    AND NOT EXISTS (SELECT FROM edge_agent_used u WHERE u.tenant = $1 AND u.client = a.client AND u.res = a.res AND u.agent = a.agent AND u.first_ix < $2)
    AND NOT EXISTS (SELECT FROM connection_version c WHERE c.tenant = $1 AND c.client = a.client AND c.res = a.res AND c.agent = a.agent
                    AND c.from_ix < $2 AND (c.to_ix IS NULL OR c.to_ix >= $2))
  GROUP BY a.client, a.res, a.agent
)
SELECT c.what, c.client, c.res, c.name, c.id, c.ix, n.from_ix >= $2 AS new_name
FROM came c LEFT JOIN entity n ON n.tenant = $1 AND n.id = c.id
WHERE ($4::int[] IS NULL OR c.client = ANY ($4)) AND ($5::int[] IS NULL OR c.res = ANY ($5))
ORDER BY c.ix, c.name, c.id
