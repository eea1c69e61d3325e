-- Lists everything that the projections recorded about clients and resources between two indexes, in the order of
-- indexes. None of these rows ever changes.
-- $1 tenant  $2 from  $3 to  $4 clients  $5 resources, null: all
SELECT n.*, CASE WHEN n.what = 'seen' THEN (SELECT arrival FROM entry WHERE tenant = $1 AND ix = n.ix) END AS arrival
FROM (
  -- The two are first seen together.
  SELECT 'seen' AS what, client, res, first_ix AS ix, NULL::int AS id, NULL::text AS words, NULL::int AS state, NULL::bytea AS connection, NULL::int AS idp
  FROM edge_seen WHERE tenant = $1 AND first_ix >= $2::bigint AND first_ix < $3::bigint
  UNION ALL
  SELECT 'scope-granted', client, res, first_ix, NULL, scope, NULL, NULL, NULL FROM edge_scope_granted WHERE tenant = $1 AND first_ix >= $2 AND first_ix < $3
  UNION ALL
  SELECT 'scope-used', u.client, u.res, u.first_ix, NULL, (SELECT e.parts ->> 0 FROM entity e WHERE e.tenant = $1 AND e.id = u.scope), NULL, NULL, NULL
  FROM edge_scope_used u WHERE u.tenant = $1 AND u.first_ix >= $2 AND u.first_ix < $3
  UNION ALL
  -- An agent acts, by a grant or a use.
  SELECT 'agent-acts', client, res, first_ix, agent, NULL, NULL, NULL, NULL FROM edge_agent_granted WHERE tenant = $1 AND first_ix >= $2 AND first_ix < $3
  UNION ALL
  SELECT 'agent-acts', client, res, first_ix, agent, NULL, NULL, NULL, NULL FROM edge_agent_used WHERE tenant = $1 AND first_ix >= $2 AND first_ix < $3
  UNION ALL
  -- A connection gets a version, valid until its next one.
  SELECT 'connection', client, res, from_ix, agent, array_to_string(scopes, ' '), state, id, idp_client
  FROM connection_version WHERE tenant = $1 AND from_ix >= $2 AND from_ix < $3
  UNION ALL
  -- An event ties a client to a name at its IdP; for new clients all ties, earlier ones too.
  SELECT 'tie', a.local, NULL, a.from_ix, NULL, NULL, NULL, NULL, a.idp
  FROM (SELECT DISTINCT client FROM edge_seen WHERE tenant = $1 AND first_ix >= $2 AND first_ix < $3) c
  CROSS JOIN LATERAL (SELECT local, idp, from_ix FROM alias WHERE tenant = $1 AND local = c.client OFFSET 0) a
  WHERE a.from_ix < $3
  UNION ALL
  SELECT 'tie', a.local, NULL, a.from_ix, NULL, NULL, NULL, NULL, a.idp
  FROM alias a
  WHERE $2 > 0 AND a.tenant = $1 AND a.from_ix >= $2 AND a.from_ix < $3 AND EXISTS (SELECT FROM edge_seen s WHERE s.tenant = $1 AND s.client = a.local)
  UNION ALL
  -- The users who hold a grant of the pair: their number if the read starts at the beginning of the ledger, else one more.
  SELECT 'grants', s.client, s.res, g.from_ix, g.grants::int, NULL, NULL, NULL, NULL
  FROM edge_seen s
  CROSS JOIN LATERAL (
    SELECT from_ix, grants FROM edge_grant
    WHERE tenant = $1 AND client = s.client AND res = s.res AND from_ix < $3 ORDER BY from_ix DESC LIMIT 1
  ) g
  WHERE $2 = 0 AND s.tenant = $1 AND s.first_ix < $3
  UNION ALL
  SELECT 'grant', client, res, from_ix, NULL, NULL, NULL, NULL, NULL FROM edge_grant WHERE $2 > 0 AND tenant = $1 AND from_ix >= $2 AND from_ix < $3
) n
WHERE ($4::int[] IS NULL OR n.client = ANY ($4)) AND ($5::int[] IS NULL OR n.what = 'tie' OR n.res = ANY ($5))
-- Facts about a pair follow the entry that shows the pair, which may be the same.
ORDER BY n.ix, n.what <> 'seen', n.what, n.idp, n.words, n.id
