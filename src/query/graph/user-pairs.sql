-- Lists the grants of some users, as of an index.
-- $1 tenant  $2 as of  $3 users  $4 clients  $5 agents  $6 resources, null: all
SELECT usr, client, res, agent, array_to_string(scopes, ' ') AS scopes
FROM grant_version
WHERE tenant = $1 AND usr = ANY ($3::int[]) AND from_ix < $2::bigint AND (to_ix IS NULL OR to_ix >= $2)
  AND ($4::int[] IS NULL OR client = ANY ($4)) AND ($5::int[] IS NULL OR agent = ANY ($5)) AND ($6::int[] IS NULL OR res = ANY ($6))
