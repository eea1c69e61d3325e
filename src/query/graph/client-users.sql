-- How many users hold a grant of each client under all its names, as of an index.
-- $1 tenant  $2 blocks below  $3 rows from  $4 as of  $5 clients
WITH tied AS (SELECT local, idp, from_ix FROM alias WHERE tenant = $1 AND idp = ANY ($5::int[]) AND from_ix < $4::bigint AND $3::bigint < $4),
candidate AS (
  SELECT client, usr FROM grant_version WHERE tenant = $1 AND from_ix >= $3 AND from_ix < $4 AND client = ANY ($5)
  UNION
  SELECT t.idp, g.usr FROM tied t JOIN grant_version g ON g.tenant = $1 AND g.client = t.local AND g.from_ix < $4
  WHERE g.from_ix >= $3 OR t.from_ix >= $3
),
begun AS (
  SELECT c.client, least(
    (SELECT min(g.from_ix) FROM grant_version g WHERE g.tenant = $1 AND g.usr = c.usr AND g.client = c.client),
    (SELECT min(greatest(g.from_ix, t.from_ix)) FROM tied t JOIN grant_version g ON g.tenant = $1 AND g.usr = c.usr AND g.client = t.local
     WHERE t.idp = c.client)) AS ix
  FROM candidate c
)
SELECT client, sum(users)::int8 AS users
FROM (
  SELECT client, users FROM client_user WHERE tenant = $1 AND blk < $2::int AND client = ANY ($5)
  UNION ALL
  SELECT client, 1 FROM begun WHERE ix >= $3
) part
GROUP BY client
