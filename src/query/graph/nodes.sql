-- What is said of nodes, as of an index: the first entry that names it, whether it is disabled, and of a client (under all its names) and an
-- issuer how many users hold a grant. Also the arrivals of further entries.
-- $1 tenant  $2 as of  $3 entities  $4 issuers  $5 indexes
SELECT e.id::text AS node, e.from_ix AS ix, n.arrival, u.users, p.state = 0 AS disabled
FROM entity e
JOIN entry n ON n.tenant = $1 AND n.ix = e.from_ix
LEFT JOIN LATERAL (
  SELECT users FROM client_user WHERE tenant = $1 AND client = e.id AND from_ix < $2::bigint ORDER BY from_ix DESC LIMIT 1
) u ON true
LEFT JOIN LATERAL (
  SELECT state FROM principal_version WHERE tenant = $1 AND entity = e.id AND from_ix < $2 ORDER BY from_ix DESC LIMIT 1
) p ON true
WHERE e.tenant = $1 AND e.id = ANY ($3::int[])
UNION ALL
SELECT 'issuer:' || i.iss, NULL, NULL, u.users, NULL
FROM unnest($4::text[]) AS i (iss)
CROSS JOIN LATERAL (
  SELECT users FROM issuer_user WHERE tenant = $1 AND iss = i.iss AND from_ix < $2 ORDER BY from_ix DESC LIMIT 1
) u
UNION ALL
SELECT NULL, ix, arrival, NULL, NULL FROM entry WHERE tenant = $1 AND ix = ANY ($5::bigint[])
