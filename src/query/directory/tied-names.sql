-- Lists the names that grants state together with any of these.
-- $1 tenant  $2 ids  $3 as of  $4 rows
SELECT local, idp, from_ix FROM alias WHERE tenant = $1 AND local = ANY ($2::int[]) AND from_ix < $3::bigint
UNION
SELECT local, idp, from_ix FROM alias WHERE tenant = $1 AND idp = ANY ($2) AND from_ix < $3
ORDER BY from_ix, local, idp
LIMIT $4
