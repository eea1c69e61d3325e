-- The standing grants of a user or of a resource. What stands in braces is one of two.
-- $1 tenant  $2 as of  $3 ids
SELECT g.usr, g.client, g.res, g.agent, g.scopes
FROM grant_version g
WHERE g.tenant = $1 AND {driven} AND g.from_ix < $2::bigint AND (g.to_ix IS NULL OR g.to_ix >= $2)
ORDER BY g.usr, g.client, g.res
