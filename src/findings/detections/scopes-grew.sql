-- Finds approvals that widened a connection, the first use of a scope that was added so, and the first sensitive use of a scope by a client that has long
-- used others, unless $6 others began so in the $5 seconds before.
-- $1 tenant  $2 from  $3 to  $4 seconds for which a client has used other scopes  $5 seconds  $6 clients
WITH sensitive AS MATERIALIZED (
{sensitive}
),
grown AS (
  SELECT c.id, c.client, c.res, c.agent, c.from_ix, c.at, ARRAY(SELECT unnest(c.scopes) EXCEPT SELECT unnest(b.scopes) ORDER BY 1) AS added
  FROM connection_version c
  CROSS JOIN LATERAL (
    SELECT v.scopes, v.state FROM connection_version v WHERE v.tenant = $1 AND v.id = c.id AND v.from_ix < c.from_ix ORDER BY v.from_ix DESC LIMIT 1
  ) b
  WHERE c.tenant = $1 AND c.from_ix >= $2::bigint AND c.from_ix < $3::bigint AND c.state = 1 AND b.state = 1
),
begun AS MATERIALIZED (
  SELECT u.client, u.res, u.first_ix, e.parts ->> 0 AS scope
  FROM edge_scope_used u
  -- OFFSET 0 keeps the look-ups key by key, also if the statistics do not know the tenant.
  CROSS JOIN LATERAL (SELECT x.parts FROM entity x WHERE x.tenant = $1 AND x.id = u.scope OFFSET 0) e
  WHERE u.tenant = $1 AND u.first_ix >= $2::bigint AND u.first_ix < $3::bigint
),
used AS (
  SELECT b.client, b.res, b.first_ix, b.scope, c.id, c.agent, c.added_ix, o.since, a.ix, a.at, a.usr, a.agent AS by_agent, a.op
  FROM begun b
  -- One condition with OR would read every use of the client at the resource.
  CROSS JOIN LATERAL (
    SELECT x.ix, x.at, x.usr, x.agent, x.op FROM (SELECT * FROM access x WHERE x.tenant = $1 AND x.ix = b.first_ix OFFSET 0) x
    WHERE x.client = b.client AND x.res = b.res AND x.outcome = 1
    UNION ALL
    SELECT x.ix, x.at, x.usr, x.agent, x.op FROM (SELECT * FROM access x WHERE x.tenant = $1 AND x.bound_ix = b.first_ix AND x.bound_ix > x.ix OFFSET 0) x
    WHERE x.client = b.client AND x.res = b.res AND x.outcome = 1
    ORDER BY at LIMIT 1
  ) a
  LEFT JOIN LATERAL (
    SELECT v.id, v.agent, (
      SELECT n.from_ix FROM (SELECT f.from_ix, f.scopes, row_number() OVER (ORDER BY f.from_ix) AS nth FROM connection_version f WHERE f.tenant = $1 AND f.id = v.id AND f.state = 1) n
      WHERE b.scope = ANY (n.scopes) AND n.nth > 1 AND NOT EXISTS (SELECT FROM connection_version f WHERE f.tenant = $1 AND f.id = v.id AND f.state = 1 AND f.from_ix < n.from_ix AND b.scope = ANY (f.scopes))
    ) AS added_ix
    FROM connection_version v
    WHERE v.tenant = $1 AND v.client = b.client AND v.res = b.res AND v.state = 1 AND v.to_ix IS NULL AND b.scope = ANY (v.scopes) LIMIT 1
  ) c ON true
  CROSS JOIN LATERAL (
    SELECT min(i.arrival) / 1000 AS since FROM edge_scope_used u
    CROSS JOIN LATERAL (SELECT x.arrival FROM entry x WHERE x.tenant = $1 AND x.ix = u.first_ix OFFSET 0) i
    WHERE u.tenant = $1 AND u.client = b.client AND u.res = b.res AND u.first_ix < $2::bigint
  ) o
)
SELECT concat('approved ', encode(id, 'hex'), ' ', from_ix) AS subject, NULL::int AS usr, client, agent, res, 1 AS count, n.at AS first_at, n.at AS last_at, ARRAY[from_ix] AS entries,
       jsonb_build_object('added', array_to_string(added, ' '), 'how', 'approved') AS details
FROM grown g
CROSS JOIN LATERAL (SELECT CASE WHEN g.at > 0 THEN g.at ELSE i.arrival / 1000 END AS at FROM entry i WHERE i.tenant = $1 AND i.ix = g.from_ix) n
WHERE added <> '{}'
UNION ALL
-- The use of what an approval added is the same story as the approval.
SELECT CASE WHEN added_ix IS NULL THEN concat_ws(' ', 'used', client, res, scope) ELSE concat('approved ', encode(id, 'hex'), ' ', added_ix) END, usr, client, coalesce(by_agent, agent), res,
       1, at, at, ARRAY[ix],
       jsonb_build_object('used', scope) || CASE WHEN added_ix IS NULL THEN jsonb_build_object('how', 'first used', 'days', (at - since) / 86400) ELSE '{}' END
FROM used
WHERE added_ix IS NOT NULL OR (
  at - since >= $4::bigint AND coalesce((SELECT s.every FROM sensitive s WHERE s.res = used.res), op >= 3 OR scope ~* 'admin|delete|export')
  AND (
    SELECT count(*) FROM (
      SELECT FROM edge_scope_used o
      CROSS JOIN LATERAL (SELECT x.arrival FROM entry x WHERE x.tenant = $1 AND x.ix = o.first_ix OFFSET 0) i
      CROSS JOIN LATERAL (SELECT x.parts FROM entity x WHERE x.tenant = $1 AND x.id = o.scope OFFSET 0) e
      WHERE o.tenant = $1 AND o.first_ix < used.first_ix AND (o.client <> used.client OR o.res <> used.res)
        AND coalesce((SELECT s.every FROM sensitive s WHERE s.res = o.res), e.parts ->> 0 ~* 'admin|delete|export')
        AND i.arrival / 1000 >= at - $5::bigint AND EXISTS (
          SELECT FROM edge_scope_used b
          CROSS JOIN LATERAL (SELECT x.arrival FROM entry x WHERE x.tenant = $1 AND x.ix = b.first_ix OFFSET 0) j
          WHERE b.tenant = $1 AND b.client = o.client AND b.res = o.res AND j.arrival <= i.arrival - $4::bigint * 1000
        )
      LIMIT $6::int
    ) n
  ) < $6::int
)
