-- Counts the users who hold a grant of each client and resource as of an index; words in the order of the pairs. The
-- last count is the current one: a grant's first version adds a user, and none is ever removed.
-- $1 tenant  $2 as of  $3, $4 clients and resources, a pair each
SELECT array_to_string(ARRAY(
  SELECT coalesce((
    SELECT g.grants FROM edge_grant g
    WHERE g.tenant = $1 AND g.client = p.client AND g.res = p.res AND g.from_ix < $2::bigint ORDER BY g.from_ix DESC LIMIT 1
  ), 0)
  FROM unnest($3::int[], $4::int[]) AS p (client, res)
), ' ') AS grants
