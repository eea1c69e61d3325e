-- Lists the reasons why recorded tokens of a source were not active when somebody asked, the latest first.
-- $1 tenant  $2 source  $3 rows
SELECT reason, nullif(member, '') AS member, sum(count)::bigint AS count, min(first_ms) AS first_ms, max(last_ms) AS last_ms,
       (array_agg(token ORDER BY last_ms DESC))[1] AS token
FROM refused_token
WHERE tenant = $1 AND source = $2
GROUP BY reason, member
ORDER BY max(last_ms) DESC, reason, member
LIMIT $3
