-- Lists the standing grants of a user or of a resource. The words in braces are replaced by one of two conditions.
-- $1 tenant  $2 as of  $3 ids
SELECT g.usr, g.client, g.res, g.agent, g.scopes
FROM grant_version g
WHERE g.tenant = $1 AND {driven} AND g.from_ix < $2::bigint AND (g.to_ix IS NULL OR g.to_ix >= $2)
ORDER BY g.usr, g.client, g.res
