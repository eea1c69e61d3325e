-- Finds the newest allowed use of each agent, as of an index.
-- $1 tenant  $2 as of  $3 agents  $4 to, epoch seconds
SELECT d.id, u.until_at::float8 AS last
FROM unnest($3::int[]) AS d (id)
CROSS JOIN LATERAL (
  SELECT a.until_at FROM access a
  WHERE a.tenant = $1 AND a.agent = d.id AND a.at < $4::bigint AND a.outcome = 1 AND a.bound_ix < $2::bigint AND coalesce(a.agent_ix, a.bound_ix) < $2
  ORDER BY a.at DESC, a.ix DESC
  LIMIT 1
) u
