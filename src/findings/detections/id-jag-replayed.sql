-- Finds second access tokens of one ID-JAG where no refresh token explains them.
-- $1 tenant  $2 from  $3 to
SELECT concat('token ', encode(t.id_jag_key, 'hex')) AS subject, min(t.usr) AS usr, min(t.client) AS client, min(t.agent) AS agent, min(t.res[1]) AS res, encode(max(t.key), 'hex') AS tok,
       count(*) AS count, min(t.iat) AS first_at, max(t.iat) AS last_at, array_agg(t.ix ORDER BY t.ix) AS entries, jsonb_build_object('how', 'accepted') AS details
FROM token t
WHERE t.tenant = $1 AND t.ix >= $2::bigint AND t.ix < $3::bigint AND t.id_jag_key IS NOT NULL AND t.parent_key IS NULL AND t.facts ->> 'kind' = 'access'
  AND EXISTS (SELECT FROM token o WHERE o.tenant = $1 AND o.id_jag_key = t.id_jag_key AND o.ix < t.ix AND o.facts ->> 'kind' = 'access')
  AND NOT EXISTS (SELECT FROM token o WHERE o.tenant = $1 AND o.id_jag_key = t.id_jag_key AND o.ix < $3::bigint AND o.facts ->> 'kind' = 'refresh')
GROUP BY t.id_jag_key
