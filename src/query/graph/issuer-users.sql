-- How many users hold a grant at all, by the issuer that names them, as of an index.  $1 tenant  $2 blocks below  $3 rows from  $4 as of
SELECT iss, sum(users)::int8 AS users
FROM (
  SELECT iss, users FROM issuer_user WHERE tenant = $1 AND blk < $2::int
  UNION ALL
  SELECT e.parts ->> 0, 1
  FROM (SELECT DISTINCT usr FROM grant_version WHERE tenant = $1 AND from_ix >= $3::bigint AND from_ix < $4::bigint) g
  JOIN entity e ON e.tenant = $1 AND e.id = g.usr
  WHERE NOT EXISTS (SELECT FROM grant_version b WHERE b.tenant = $1 AND b.usr = g.usr AND b.from_ix < $3)
) part
GROUP BY iss
