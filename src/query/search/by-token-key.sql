-- Finds tokens and ID-JAGs by any of their keys, and tokens issued for such an ID-JAG.
-- $1 tenant  $2 keys of tokens, $3 of ID-JAGs  $4 as of  $5 rows
(SELECT 'token' AS kind, false AS lineage, key, ix, facts ->> 'iss' AS iss, coalesce(facts ->> 'jti', facts ->> 'sha256', facts ->> 'signing_input_sha256') AS name
 FROM token WHERE tenant = $1 AND key = ANY ($2::bytea[]) AND ix < $4::bigint)
UNION ALL
(SELECT 'id_jag', false, key, ix, facts ->> 'iss', facts ->> 'jti'
 FROM id_jag WHERE tenant = $1 AND (key = ANY ($3::bytea[]) OR sha_key = ANY ($3)) AND ix < $4 ORDER BY ix LIMIT $5)
UNION ALL
(SELECT 'token', true, key, ix, facts ->> 'iss', coalesce(facts ->> 'jti', facts ->> 'sha256', facts ->> 'signing_input_sha256')
 FROM token WHERE tenant = $1 AND id_jag_key = ANY ($3) AND ix < $4 ORDER BY ix LIMIT $5)
