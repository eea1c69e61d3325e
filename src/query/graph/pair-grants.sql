-- How many users hold a grant of each client and resource, as of an index. Users come with a grant's first version and stay.
-- $1 tenant  $2 blocks below  $3 rows from  $4 as of  $5 clients  $6 resources, null: all
SELECT client, res, sum(grants)::int8 AS grants
FROM (
  SELECT client, res, grants FROM edge_grant
  WHERE tenant = $1 AND blk < $2::int AND ($5::int[] IS NULL OR client = ANY ($5)) AND ($6::int[] IS NULL OR res = ANY ($6))
  UNION ALL
  SELECT client, res, 1 FROM grant_version g
  WHERE tenant = $1 AND from_ix >= $3::bigint AND from_ix < $4::bigint
    AND ($5 IS NULL OR client = ANY ($5)) AND ($6 IS NULL OR res = ANY ($6))
    AND NOT EXISTS (
      SELECT FROM grant_version e
      WHERE e.tenant = $1 AND e.usr = g.usr AND e.client = g.client AND e.res = g.res AND e.from_ix < g.from_ix)
) part
GROUP BY client, res
