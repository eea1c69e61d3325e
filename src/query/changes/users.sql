-- How many users have their first grant of each client, under all its names, between two indexes.
-- $1 tenant  $2 since  $3 until  $4 clients
SELECT c.client, u.users - coalesce(b.users, 0) AS users
FROM unnest($4::int[]) AS c (client)
CROSS JOIN LATERAL (
  SELECT users FROM client_user WHERE tenant = $1 AND client = c.client AND from_ix < $3::bigint ORDER BY from_ix DESC LIMIT 1
) u
LEFT JOIN LATERAL (
  SELECT users FROM client_user WHERE tenant = $1 AND client = c.client AND from_ix < $2::bigint ORDER BY from_ix DESC LIMIT 1
) b ON true
WHERE u.users > coalesce(b.users, 0)
