-- Finds tokens that were issued to another client than the ID-JAG that they came from.
-- $1 tenant  $2 from  $3 to
WITH fresh AS (
  SELECT t.* FROM token t WHERE t.tenant = $1 AND t.ix >= $2::bigint AND t.ix < $3::bigint AND t.id_jag_key IS NOT NULL
  UNION ALL
  SELECT t.* FROM token t WHERE t.tenant = $1 AND t.bound_ix >= $2::bigint AND t.bound_ix < $3::bigint AND t.bound_ix > t.ix AND t.ix < $2::bigint AND t.id_jag_key IS NOT NULL
)
SELECT concat_ws(' ', t.client, j.client) AS subject, min(t.usr) AS usr, t.client, min(t.agent) AS agent, min(t.res[1]) AS res, encode(max(t.key), 'hex') AS tok,
       count(*) AS count, min(t.iat) AS first_at, max(t.iat) AS last_at, array_agg(t.ix ORDER BY t.ix) AS entries,
       jsonb_build_object('issued_to', min(j.facts ->> 'client_id')) AS details
FROM fresh t
JOIN id_jag j ON j.tenant = $1 AND j.key = t.id_jag_key
WHERE j.client <> t.client AND j.facts ->> 'client_id' <> t.facts ->> 'client_id' AND j.facts -> 'aud' ? (t.facts ->> 'iss')
GROUP BY t.client, j.client
