-- Finds access tokens that live longer than $4 seconds, or for ever.
-- $1 tenant  $2 from  $3 to  $4 seconds
SELECT concat_ws(' ', source, client) AS subject, NULL::int AS usr, client, min(agent) AS agent, min(res[1]) AS res, encode(max(key), 'hex') AS tok, source, count(*) AS count,
       min(iat) AS first_at, max(iat) AS last_at, (array_agg(ix ORDER BY ix))[1:20] AS entries,
       jsonb_build_object('hours', CASE WHEN bool_or(exp IS NULL) THEN NULL ELSE max(exp - iat) / 3600 END) AS details
FROM token
WHERE tenant = $1 AND ix >= $2::bigint AND ix < $3::bigint AND facts ->> 'kind' = 'access' AND (exp IS NULL OR exp - iat > $4::bigint)
GROUP BY source, client
