-- Counts new grants between two near indexes, by client and resource, grant by grant. For distant indexes grants.sql
-- costs less.
-- $1 tenant  $2 since  $3 until  $4 clients  $5 resources, null: all
SELECT client, res, count(*)::float8 AS grants, min(from_ix)::float8 AS first_ix, max(from_ix)::float8 AS last_ix
FROM edge_grant
WHERE tenant = $1 AND from_ix >= $2::bigint AND from_ix < $3::bigint
  AND ($4::int[] IS NULL OR client = ANY ($4)) AND ($5::int[] IS NULL OR res = ANY ($5))
GROUP BY client, res
