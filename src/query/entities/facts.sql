-- Lists the users, clients, agents and resources that entries between two indexes name, the ties between names, and the versions of grants, each in
-- the order of indexes. None of these rows ever changes.
-- $1 tenant  $2 from  $3 to
SELECT 'entity' AS what, from_ix::float8 AS ix, id, kind::int AS other, NULL::int AS res, NULL::int AS agent
FROM entity WHERE tenant = $1 AND from_ix >= $2::bigint AND from_ix < $3::bigint AND kind IN (1, 2, 3, 5)
UNION ALL
(SELECT 'tie', from_ix::float8, local, idp, NULL, NULL FROM alias WHERE tenant = $1 AND from_ix >= $2 AND from_ix < $3 ORDER BY from_ix, idp)
UNION ALL
(SELECT 'grant', from_ix::float8, usr, client, res, agent FROM grant_version WHERE tenant = $1 AND from_ix >= $2 AND from_ix < $3 ORDER BY from_ix)
