-- Reads a page of a tenant's connections as they were at an index.
-- $1 tenant  $2 after this id  $3 rows  $4 clients  $5 resources  $6 agents  $7 as of
SELECT c.id, c.from_ix, c.state, c.at, c.idp_client, c.client, c.res, c.agent, c.scopes, e.arrival
FROM (
  SELECT id, from_ix, state, at, idp_client, client, res, agent, scopes
  FROM connection_version
  WHERE tenant = $1 AND from_ix < $7::bigint AND (to_ix IS NULL OR to_ix >= $7)
    AND ($2::bytea IS NULL OR id > $2)
    AND ($4::int[] IS NULL OR client = ANY ($4) OR idp_client = ANY ($4))
    AND ($5::int[] IS NULL OR res = ANY ($5))
    AND ($6::int[] IS NULL OR agent = ANY ($6))
  ORDER BY id
  LIMIT $3
) c
JOIN entry e ON e.tenant = $1 AND e.ix = c.from_ix
ORDER BY c.id
