-- How many users have their first grant of each client, under all its names, between two indexes. A user becomes a client's with a grant, and
-- with the event that says under which name of the client it was given: the first and the last entry that may have brought one.
-- $1 tenant  $2 since  $3 until  $4 clients of new grants, with $5 the first and $6 the last of those  $7 clients, null: all
WITH tie AS MATERIALIZED (
  SELECT a.local, a.idp, a.from_ix
  FROM (SELECT DISTINCT client FROM edge_seen WHERE tenant = $1 AND first_ix < $3::bigint) s
  CROSS JOIN LATERAL (SELECT local, idp, from_ix FROM alias WHERE tenant = $1 AND local = s.client OFFSET 0) a
  WHERE a.from_ix < $3
),
-- A client goes by the name that was tied to it first.
shown AS (SELECT DISTINCT ON (local) local, idp FROM tie ORDER BY local, from_ix, idp),
span AS (
  SELECT client, min(first_ix) AS first_ix, max(last_ix) AS last_ix
  FROM (
    SELECT coalesce(s.idp, g.client) AS client, g.first_ix, g.last_ix
    FROM unnest($4::int[], $5::bigint[], $6::bigint[]) AS g (client, first_ix, last_ix) LEFT JOIN shown s ON s.local = g.client
    UNION ALL
    SELECT idp, from_ix, from_ix FROM tie WHERE from_ix >= $2::bigint AND ($7::int[] IS NULL OR idp = ANY ($7) OR local = ANY ($7))
  ) o
  GROUP BY client
)
SELECT c.client, (u.users - coalesce(b.users, 0))::float8 AS users, c.first_ix::float8 AS first_ix, c.last_ix::float8 AS last_ix
FROM span c
CROSS JOIN LATERAL (
  SELECT users FROM client_user WHERE tenant = $1 AND client = c.client AND from_ix < $3 ORDER BY from_ix DESC LIMIT 1
) u
LEFT JOIN LATERAL (
  SELECT users FROM client_user WHERE tenant = $1 AND client = c.client AND from_ix < $2 ORDER BY from_ix DESC LIMIT 1
) b ON true
WHERE u.users > coalesce(b.users, 0)
