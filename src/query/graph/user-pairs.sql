-- What some users hold, by client and resource, as of an index.
-- $1 tenant  $2 as of  $3 users  $4 clients  $5 agents  $6 resources, null: all
SELECT client, res, count(DISTINCT usr)::int8 AS grants,
       coalesce(array_agg(DISTINCT agent) FILTER (WHERE agent IS NOT NULL), '{}') AS agents,
       coalesce((array_agg(DISTINCT scope) FILTER (WHERE scope IS NOT NULL)), '{}') AS granted
FROM grant_version LEFT JOIN LATERAL unnest(scopes) AS scope ON true
WHERE tenant = $1 AND usr = ANY ($3::int[]) AND from_ix < $2::bigint AND (to_ix IS NULL OR to_ix >= $2)
  AND ($4::int[] IS NULL OR client = ANY ($4)) AND ($5::int[] IS NULL OR agent = ANY ($5)) AND ($6::int[] IS NULL OR res = ANY ($6))
GROUP BY client, res
