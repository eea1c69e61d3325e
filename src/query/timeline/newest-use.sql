-- Finds the time of the newest attributed use of an entity in a window. The text in braces comes from a closed list in runs.pg.ts and names
-- an index.
-- $1 tenant  $2 as of  $3 ids  $4 from  $5 to, epoch seconds
SELECT max(u.at)::float8 AS at
FROM unnest($3::int[]) AS d (id)
CROSS JOIN LATERAL (
  SELECT a.at FROM access a
  WHERE a.tenant = $1 AND {whose} AND a.at >= $4::bigint AND a.at < $5::bigint AND a.bound_ix < $2::bigint
  ORDER BY a.at DESC, a.ix DESC
  LIMIT 1
) u
