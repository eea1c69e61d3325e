-- How many users hold a grant of each client under all its names, as of an index.
-- $1 tenant  $2 blocks below  $3 rows from  $4 as of  $5 clients
WITH tied AS MATERIALIZED (SELECT local, idp, from_ix FROM alias WHERE tenant = $1 AND idp = ANY ($5::int[]) AND from_ix < $4::bigint AND $3::bigint < $4),
candidate AS MATERIALIZED (
  SELECT client, usr FROM grant_version WHERE tenant = $1 AND from_ix >= $3 AND from_ix < $4 AND client = ANY ($5)
  UNION
  SELECT t.idp, g.usr FROM tied t JOIN grant_version g ON g.tenant = $1 AND g.client = t.local WHERE g.from_ix >= $3 AND g.from_ix < $4
  UNION
  SELECT t.idp, g.usr FROM tied t JOIN grant_version g ON g.tenant = $1 AND g.client = t.local WHERE g.from_ix < $4 AND t.from_ix >= $3
),
held AS MATERIALIZED (
  SELECT g.client, g.usr FROM (SELECT DISTINCT usr FROM candidate) u JOIN grant_version g ON g.tenant = $1 AND g.usr = u.usr WHERE g.from_ix < $3
),
earlier AS MATERIALIZED (
  SELECT client, usr FROM held WHERE client = ANY ($5)
  UNION
  SELECT t.idp, h.usr FROM held h JOIN tied t ON t.local = h.client AND t.from_ix < $3
)
SELECT client, sum(users)::int8 AS users
FROM (
  SELECT client, users FROM client_user WHERE tenant = $1 AND blk < $2::int AND client = ANY ($5)
  UNION ALL
  SELECT c.client, 1 FROM candidate c LEFT JOIN earlier e ON e.client = c.client AND e.usr = c.usr WHERE e.usr IS NULL
) part
GROUP BY client
