-- Counts the users who have their first grant of a client, under all its names, between two indexes.
-- $1 tenant  $2 since  $3 until  $6 clients, with $7 the first and $8 the last entry between the two that may have
-- brought a user
SELECT c.client, u.users - coalesce(b.users, 0) AS users, c.first_ix, c.last_ix
FROM unnest($6::int[], $7::bigint[], $8::bigint[]) AS c (client, first_ix, last_ix)
CROSS JOIN LATERAL (
  SELECT users FROM client_user WHERE tenant = $1 AND client = c.client AND from_ix < $3::bigint ORDER BY from_ix DESC LIMIT 1
) u
LEFT JOIN LATERAL (
  SELECT users FROM client_user WHERE tenant = $1 AND client = c.client AND from_ix < $2::bigint ORDER BY from_ix DESC LIMIT 1
) b ON true
WHERE u.users > coalesce(b.users, 0)
