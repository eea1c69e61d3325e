-- Finds the users and clients of tokens and ID-JAGs.
-- $1 tenant  $2 keys  $3 as of
SELECT usr AS id FROM token WHERE tenant = $1 AND key = ANY ($2::bytea[]) AND bound_ix < $3::bigint
UNION SELECT client FROM token WHERE tenant = $1 AND key = ANY ($2) AND ix < $3
UNION SELECT unnest(ARRAY[usr, client, idp_client]) FROM id_jag WHERE tenant = $1 AND key = ANY ($2) AND ix < $3
