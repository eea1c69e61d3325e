-- Lists the scopes that some users have used, by client and resource, as of an index.
-- $1 tenant  $2 as of  $3 users
SELECT f.client, f.res, string_agg(DISTINCT e.parts ->> 0, ' ') AS used
FROM first_use f JOIN entity e ON e.tenant = $1 AND e.id = f.scope
WHERE f.tenant = $1 AND f.usr = ANY ($3::int[]) AND f.first_ix < $2::bigint
GROUP BY f.client, f.res
