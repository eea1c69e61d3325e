-- Adds the other names of users or clients: those that one event has tied to them, an authorization server's and the IdP's.
-- $1 tenant  $2 ids  $3 as of
SELECT unnest($2::int[]) AS id
UNION SELECT idp FROM alias WHERE tenant = $1 AND local = ANY ($2) AND from_ix < $3::bigint
UNION SELECT local FROM alias WHERE tenant = $1 AND idp = ANY ($2) AND from_ix < $3
