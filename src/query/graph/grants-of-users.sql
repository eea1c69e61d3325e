-- Lists the grants of some users, with the client as the ledger names it, as of an index.
-- $1 tenant  $2 as of  $3 users
SELECT DISTINCT usr, client, res
FROM grant_version
WHERE tenant = $1 AND usr = ANY ($3::int[]) AND from_ix < $2::bigint AND (to_ix IS NULL OR to_ix >= $2)
