-- Finds second access tokens of one ID-JAG where no refresh token explains them, and presentations that an authorization server refused as a replay.
-- $1 tenant  $2 from  $3 to
SELECT concat('token ', encode(t.id_jag_key, 'hex')) AS subject, min(t.usr) AS usr, min(t.client) AS client, min(t.agent) AS agent, min(t.res[1]) AS res, encode(max(t.key), 'hex') AS tok,
       count(*) AS count, min(t.iat) AS first_at, max(t.iat) AS last_at, array_agg(t.ix ORDER BY t.ix) AS entries, jsonb_build_object('how', 'accepted') AS details
FROM token t
WHERE t.tenant = $1 AND t.ix >= $2::bigint AND t.ix < $3::bigint AND t.id_jag_key IS NOT NULL AND t.parent_key IS NULL AND t.facts ->> 'kind' = 'access'
  AND EXISTS (SELECT FROM token o WHERE o.tenant = $1 AND o.id_jag_key = t.id_jag_key AND o.ix < t.ix AND o.facts ->> 'kind' = 'access')
  AND NOT EXISTS (SELECT FROM token o WHERE o.tenant = $1 AND o.id_jag_key = t.id_jag_key AND o.ix < $3::bigint AND o.facts ->> 'kind' = 'refresh')
GROUP BY t.id_jag_key
UNION ALL
SELECT concat('denied ', i.source, ' ', coalesce(d.data #>> '{id_jag,jti}', d.data #>> '{id_jag,sha256}', i.ix::text)), NULL, NULL, NULL, NULL, NULL, count(*),
       min(i.arrival) / 1000, max(i.arrival) / 1000, array_agg(i.ix ORDER BY i.ix), jsonb_build_object('how', 'refused', 'jti', min(d.data #>> '{id_jag,jti}'))
FROM entry i
JOIN payload p ON p.tenant = $1 AND p.ix = i.ix
CROSS JOIN LATERAL (SELECT coalesce(x.event -> 'data', x.event) AS data FROM (SELECT convert_from(p.bytes, 'UTF8')::jsonb AS event) x) d
WHERE i.tenant = $1 AND i.ix >= $2::bigint AND i.ix < $3::bigint AND i.type = 'dev.rescind.token.denied.v1'
  AND concat_ws(' ', d.data ->> 'error', d.data ->> 'reason') ~* 'replay|already|reuse|twice|presented before'
GROUP BY i.source, coalesce(d.data #>> '{id_jag,jti}', d.data #>> '{id_jag,sha256}', i.ix::text)
