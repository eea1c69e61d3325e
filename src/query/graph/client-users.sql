-- How many users hold a grant of each client under all its names, as of an index.  $1 tenant  $2 as of  $3 clients
SELECT c.client, u.users
FROM unnest($3::int[]) AS c (client)
CROSS JOIN LATERAL (
  SELECT users FROM client_user WHERE tenant = $1 AND client = c.client AND from_ix < $2::bigint ORDER BY from_ix DESC LIMIT 1
) u
