-- Reads the ledger's head and the small ids of a selector's members. A member that the selector lacks is null; an unknown name, an empty array.
-- $1 tenant  $2 user key  $3 client key  $4 agent key  $5 resource key  $6 session key  $7 ID-JAG key
WITH own AS (
  SELECT (SELECT e.id FROM entity e WHERE e.tenant = $1 AND e.kind = 1 AND e.key = $2::bytea) AS usr,
         (SELECT e.id FROM entity e WHERE e.tenant = $1 AND e.kind = 2 AND e.key = $3::bytea) AS client,
         (SELECT e.id FROM entity e WHERE e.tenant = $1 AND e.kind = 3 AND e.key = $4::bytea) AS agent,
         (SELECT e.id FROM entity e WHERE e.tenant = $1 AND e.kind = 5 AND e.key = $5::bytea) AS res
)
SELECT
  (SELECT next_ix FROM ledger_head WHERE tenant = $1) AS next_ix,
  own.usr AS own_user, own.client AS own_client, own.agent AS own_agent, own.res AS own_resource,
  CASE WHEN $2 IS NOT NULL THEN ARRAY(SELECT own.usr WHERE own.usr IS NOT NULL UNION SELECT a.idp FROM alias a WHERE a.tenant = $1 AND a.local = own.usr) END AS users,
  CASE WHEN $3 IS NOT NULL THEN ARRAY(SELECT own.client WHERE own.client IS NOT NULL UNION SELECT a.local FROM alias a WHERE a.tenant = $1 AND a.idp = own.client) END AS clients,
  -- Names whose standing rights count: also names at RASs that belong to this user or client and to no other.
  CASE WHEN $2 IS NOT NULL THEN ARRAY(SELECT own.usr WHERE own.usr IS NOT NULL UNION SELECT a.local FROM alias a WHERE a.tenant = $1 AND a.idp = own.usr
    AND NOT EXISTS (SELECT FROM alias o WHERE o.tenant = $1 AND o.local = a.local AND o.idp <> own.usr)) END AS covered_users,
  CASE WHEN $3 IS NOT NULL THEN ARRAY(SELECT own.client WHERE own.client IS NOT NULL UNION SELECT a.local FROM alias a WHERE a.tenant = $1 AND a.idp = own.client
    AND NOT EXISTS (SELECT FROM alias o WHERE o.tenant = $1 AND o.local = a.local AND o.idp <> own.client)) END AS covered_clients,
  CASE WHEN $6::bytea IS NOT NULL THEN ARRAY(
    SELECT s.usr FROM session s WHERE s.tenant = $1 AND s.key = $6 AND s.usr IS NOT NULL
    UNION
    -- The user became known too late to be stored with the session. There is no index by session.
    SELECT j.usr FROM id_jag j WHERE j.tenant = $1 AND j.session_key = $6 AND EXISTS (SELECT FROM session s WHERE s.tenant = $1 AND s.key = $6 AND s.usr IS NULL)
  ) END AS session_users,
  CASE WHEN $7::bytea IS NOT NULL THEN ARRAY(
    SELECT $7
    UNION
    SELECT unnest(ARRAY[j.key, j.sha_key]) FROM id_jag j WHERE j.tenant = $1 AND j.key = $7
    UNION
    SELECT unnest(ARRAY[j.key, j.sha_key]) FROM id_jag j WHERE j.tenant = $1 AND j.sha_key = $7
  ) END AS id_jags
FROM own
