-- Reads whom uses belong to, as far as lineage tells by now. An agent may be known before the user is.
-- $1 tenant  $2 first index  $3 end, exclusive
SELECT a.ix,
       CASE WHEN a.bound_ix IS NOT NULL THEN u.parts END AS usr,
       CASE WHEN a.bound_ix IS NOT NULL THEN c.parts END AS client,
       g.parts AS agent
FROM access a
LEFT JOIN entity u ON u.tenant = $1 AND u.id = a.usr
LEFT JOIN entity c ON c.tenant = $1 AND c.id = a.client
LEFT JOIN entity g ON g.tenant = $1 AND g.id = a.agent
WHERE a.tenant = $1 AND a.ix >= $2 AND a.ix < $3
