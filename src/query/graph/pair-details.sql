-- What is shown of some clients and resources, as of an index.  $1 tenant  $2 as of  $3, $4 clients and resources, a pair each
WITH connected AS MATERIALIZED (
  -- created (1) before observed (2) before deleted (0), where several connections share client and resource
  SELECT client, res, max(CASE state WHEN 1 THEN 3 WHEN 2 THEN 2 ELSE 1 END) AS standing,
         string_agg(array_to_string(scopes, ' '), ' ') FILTER (WHERE state <> 0 AND scopes <> '{}') AS approved
  FROM connection_version
  WHERE tenant = $1 AND client = ANY ($3::int[]) AND res = ANY ($4::int[]) AND from_ix < $2::bigint AND (to_ix IS NULL OR to_ix >= $2)
  GROUP BY client, res
)
SELECT p.client, p.res, c.standing, c.approved, g.granted, u.used
FROM unnest($3::int[], $4::int[]) AS p (client, res)
LEFT JOIN connected c USING (client, res)
CROSS JOIN LATERAL (
  SELECT string_agg(s.scope, ' ') AS granted FROM edge_scope_granted s
  WHERE s.tenant = $1 AND s.client = p.client AND s.res = p.res AND s.first_ix < $2
) g
CROSS JOIN LATERAL (
  SELECT string_agg(e.parts ->> 0, ' ') AS used
  FROM edge_scope_used s JOIN entity e ON e.tenant = $1 AND e.id = s.scope
  WHERE s.tenant = $1 AND s.client = p.client AND s.res = p.res AND s.first_ix < $2
) u
