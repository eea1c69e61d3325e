-- Finds approvals that widened a connection, and the first use of a scope that was added so.
-- $1 tenant  $2 from  $3 to
WITH grown AS (
  SELECT c.id, c.client, c.res, c.agent, c.from_ix, c.at, ARRAY(SELECT unnest(c.scopes) EXCEPT SELECT unnest(b.scopes) ORDER BY 1) AS added
  FROM connection_version c
  CROSS JOIN LATERAL (
    SELECT v.scopes, v.state FROM connection_version v WHERE v.tenant = $1 AND v.id = c.id AND v.from_ix < c.from_ix ORDER BY v.from_ix DESC LIMIT 1
  ) b
  WHERE c.tenant = $1 AND c.from_ix >= $2::bigint AND c.from_ix < $3::bigint AND c.state = 1 AND b.state = 1
),
used AS (
  SELECT c.id, u.client, u.res, c.agent, u.first_ix, e.parts ->> 0 AS scope
  FROM edge_scope_used u
  JOIN entity e ON e.tenant = $1 AND e.id = u.scope
  JOIN connection_version c ON c.tenant = $1 AND c.client = u.client AND c.res = u.res AND c.state = 1 AND c.to_ix IS NULL AND (e.parts ->> 0) = ANY (c.scopes)
  CROSS JOIN LATERAL (
    SELECT v.scopes FROM connection_version v WHERE v.tenant = $1 AND v.id = c.id AND v.state = 1 ORDER BY v.from_ix LIMIT 1
  ) approved
  WHERE u.tenant = $1 AND u.first_ix >= $2::bigint AND u.first_ix < $3::bigint AND NOT (e.parts ->> 0) = ANY (approved.scopes)
)
SELECT concat('approved ', encode(id, 'hex'), ' ', from_ix) AS subject, NULL::int AS usr, client, agent, res, 1 AS count, n.at AS first_at, n.at AS last_at, ARRAY[from_ix] AS entries,
       jsonb_build_object('added', array_to_string(added, ' '), 'how', 'approved') AS details
FROM grown g
CROSS JOIN LATERAL (SELECT CASE WHEN g.at > 0 THEN g.at ELSE i.arrival / 1000 END AS at FROM entry i WHERE i.tenant = $1 AND i.ix = g.from_ix) n
WHERE added <> '{}'
UNION ALL
SELECT concat('used ', encode(id, 'hex'), ' ', scope), a.usr, u.client, coalesce(a.agent, u.agent), u.res, 1, a.at, a.at, ARRAY[a.ix],
       jsonb_build_object('added', scope, 'how', 'used')
FROM used u
CROSS JOIN LATERAL (
  SELECT x.ix, x.at, x.usr, x.agent FROM access x WHERE x.tenant = $1 AND x.client = u.client AND x.res = u.res AND x.outcome = 1
    AND (x.ix = u.first_ix OR x.bound_ix = u.first_ix) ORDER BY x.at LIMIT 1
) a
