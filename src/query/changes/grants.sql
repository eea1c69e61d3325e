-- New grants between two indexes, by client and resource: what their counts differ by, and the first and the last index at which they grew.
-- An entry brings a pair one grant at most, so that the first count since the first moment is one more than it was then.
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
