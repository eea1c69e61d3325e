-- Lists the IdP names of all clients that are seen with a resource, in the order in which events tied them.
-- $1 tenant  $2 until
SELECT a.local, a.idp, a.from_ix
FROM (SELECT DISTINCT client FROM edge_seen WHERE tenant = $1 AND first_ix < $2::bigint) s
CROSS JOIN LATERAL (SELECT local, idp, from_ix FROM alias WHERE tenant = $1 AND local = s.client OFFSET 0) a
WHERE a.from_ix < $2
ORDER BY a.from_ix, a.idp
