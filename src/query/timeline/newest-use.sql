-- Finds the time of the newest use of an entity or token in a window. The texts in braces come from a closed list in runs.pg.ts, and `whose`
-- names an index.
-- $1 tenant  $2 as of  $3 ids, or keys of tokens  $4 from  $5 to, epoch seconds
SELECT max(u.at)::float8 AS at
FROM unnest($3::{ids}) AS d (id)
CROSS JOIN LATERAL (
  SELECT a.at FROM access a
  WHERE a.tenant = $1 AND {whose} AND a.at >= $4::bigint AND a.at < $5::bigint AND {known}
  ORDER BY a.at DESC, a.ix DESC
  LIMIT 1
) u
