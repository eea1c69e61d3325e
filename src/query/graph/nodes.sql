-- Reads the properties of nodes that change, as of an index: how many users hold a grant of a client (under all its
-- names) and of an issuer, and which nodes are disabled.
-- $1 tenant  $2 as of  $3 clients  $4 issuers  $5 users and clients
SELECT c.id::text AS node, u.users, false AS disabled
FROM unnest($3::int[]) AS c (id)
CROSS JOIN LATERAL (
  SELECT users FROM client_user WHERE tenant = $1 AND client = c.id AND from_ix < $2::bigint ORDER BY from_ix DESC LIMIT 1
) u
UNION ALL
SELECT 'issuer:' || i.iss, u.users, false
FROM unnest($4::text[]) AS i (iss)
CROSS JOIN LATERAL (
  SELECT users FROM issuer_user WHERE tenant = $1 AND iss = i.iss AND from_ix < $2 ORDER BY from_ix DESC LIMIT 1
) u
UNION ALL
SELECT n.id::text, NULL, true
FROM unnest($5::int[]) AS n (id)
CROSS JOIN LATERAL (
  SELECT state FROM principal_version WHERE tenant = $1 AND entity = n.id AND from_ix < $2 ORDER BY from_ix DESC LIMIT 1
) p
WHERE p.state = 0
