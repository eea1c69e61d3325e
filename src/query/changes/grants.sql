-- Counts new grants between two indexes, by client and resource, from the running counts at both ends, and finds the
-- first and the last index with a new grant. An entry adds at most one grant to a pair, so the first count after $2 is
-- one more than the count at $2.
-- $1 tenant  $2 since  $3 until  $4 clients  $5 resources, null: all
SELECT s.client, s.res, (l.grants - f.grants + 1)::float8 AS grants, f.from_ix::float8 AS first_ix, l.from_ix::float8 AS last_ix
FROM edge_seen s
CROSS JOIN LATERAL (
  SELECT grants, from_ix FROM edge_grant g
  WHERE g.tenant = $1 AND g.client = s.client AND g.res = s.res AND g.from_ix < $3::bigint ORDER BY g.from_ix DESC LIMIT 1
) l
CROSS JOIN LATERAL (
  SELECT grants, from_ix FROM edge_grant g
  WHERE g.tenant = $1 AND g.client = s.client AND g.res = s.res AND g.from_ix >= $2::bigint ORDER BY g.from_ix LIMIT 1
) f
WHERE s.tenant = $1 AND s.first_ix < $3 AND l.from_ix >= $2
  AND ($4::int[] IS NULL OR s.client = ANY ($4)) AND ($5::int[] IS NULL OR s.res = ANY ($5))
