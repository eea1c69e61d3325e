-- What is known of each client and resource, as of an index. Lists are words: arrays of thousands of rows take long to parse.
--  $1 tenant  $2 as of  $3 clients  $4 resources, null: all  $5 rows
WITH pair AS MATERIALIZED (
  SELECT client, res, first_ix FROM edge_seen
  WHERE tenant = $1 AND first_ix < $2::bigint AND ($3::int[] IS NULL OR client = ANY ($3)) AND ($4::int[] IS NULL OR res = ANY ($4))
  LIMIT $5
),
connected AS (
  -- created (1) before observed (2) before deleted (0), where several connections share client and resource
  SELECT client, res, max(CASE state WHEN 1 THEN 3 WHEN 2 THEN 2 ELSE 1 END) AS standing,
         string_agg(DISTINCT agent::text, ' ') AS agents
  FROM connection_version
  WHERE tenant = $1 AND from_ix < $2 AND (to_ix IS NULL OR to_ix >= $2)
    AND ($3 IS NULL OR client = ANY ($3)) AND ($4 IS NULL OR res = ANY ($4))
  GROUP BY client, res
),
approved AS (
  SELECT client, res, string_agg(DISTINCT scope, ' ') AS scopes
  FROM connection_version, unnest(scopes) AS scope
  WHERE tenant = $1 AND from_ix < $2 AND (to_ix IS NULL OR to_ix >= $2) AND state <> 0
    AND ($3 IS NULL OR client = ANY ($3)) AND ($4 IS NULL OR res = ANY ($4))
  GROUP BY client, res
),
acting AS (
  SELECT client, res, string_agg(DISTINCT agent::text, ' ') AS agents
  FROM (
    SELECT client, res, agent FROM edge_agent_granted
    WHERE tenant = $1 AND first_ix < $2 AND ($3 IS NULL OR client = ANY ($3)) AND ($4 IS NULL OR res = ANY ($4))
    UNION ALL
    SELECT client, res, agent FROM edge_agent_used
    WHERE tenant = $1 AND first_ix < $2 AND ($3 IS NULL OR client = ANY ($3)) AND ($4 IS NULL OR res = ANY ($4))
  ) a
  GROUP BY client, res
),
granted AS (
  SELECT client, res, string_agg(scope, ' ') AS scopes FROM edge_scope_granted
  WHERE tenant = $1 AND first_ix < $2 AND ($3 IS NULL OR client = ANY ($3)) AND ($4 IS NULL OR res = ANY ($4))
  GROUP BY client, res
),
used AS (
  SELECT u.client, u.res, string_agg(e.parts ->> 0, ' ') AS scopes
  FROM edge_scope_used u JOIN entity e ON e.tenant = $1 AND e.id = u.scope
  WHERE u.tenant = $1 AND u.first_ix < $2 AND ($3 IS NULL OR u.client = ANY ($3)) AND ($4 IS NULL OR u.res = ANY ($4))
  GROUP BY u.client, u.res
)
SELECT p.client, p.res, p.first_ix, c.standing, c.agents AS connection_agents, a.agents, o.scopes AS approved, g.scopes AS granted,
       u.scopes AS used
FROM pair p
LEFT JOIN connected c USING (client, res)
LEFT JOIN approved o USING (client, res)
LEFT JOIN acting a USING (client, res)
LEFT JOIN granted g USING (client, res)
LEFT JOIN used u USING (client, res)
