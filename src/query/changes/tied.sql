-- Names at the IdP that events have tied to clients between two indexes. Only those that have to do with a resource have users: there are few,
-- where the aliases of users are many.  $1 tenant  $2 since  $3 until  $4 clients, null: all
SELECT a.idp AS client, min(a.from_ix) AS first_ix, max(a.from_ix) AS last_ix
FROM (SELECT DISTINCT client FROM edge_seen WHERE tenant = $1 AND first_ix < $3::bigint) s
CROSS JOIN LATERAL (SELECT idp, local, from_ix FROM alias WHERE tenant = $1 AND local = s.client OFFSET 0) a
WHERE a.from_ix >= $2::bigint AND a.from_ix < $3 AND ($4::int[] IS NULL OR a.idp = ANY ($4) OR a.local = ANY ($4))
GROUP BY a.idp
