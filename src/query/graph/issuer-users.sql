-- How many users hold a grant at all, by the issuer that names them, as of an index.  $1 tenant  $2 as of  $3 issuers
SELECT i.iss, u.users
FROM unnest($3::text[]) AS i (iss)
CROSS JOIN LATERAL (
  SELECT users FROM issuer_user WHERE tenant = $1 AND iss = i.iss AND from_ix < $2::bigint ORDER BY from_ix DESC LIMIT 1
) u
