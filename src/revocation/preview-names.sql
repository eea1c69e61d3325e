-- Small ids of what a selector names; a member that is not in it is null, one that nobody ever named an empty array.
-- $1 tenant  $2 user key  $3 client key  $4 agent key  $5 resource key  $6 session key  $7 ID-JAG key  $8 how many clients at most  $9 resource
-- $10 issuer and $11 sid of the session  $12 how many of its tokens at most
SELECT
  CASE WHEN $2::bytea IS NOT NULL THEN ARRAY(
    SELECT e.id FROM entity e WHERE e.tenant = $1 AND e.kind = 1 AND e.key = $2
    UNION
    SELECT a.idp FROM entity e JOIN alias a ON a.tenant = $1 AND a.local = e.id WHERE e.tenant = $1 AND e.kind = 1 AND e.key = $2
  ) END AS users,
  CASE WHEN $3::bytea IS NOT NULL THEN ARRAY(
    SELECT e.id FROM entity e WHERE e.tenant = $1 AND e.kind = 2 AND e.key = $3
    UNION
    SELECT a.local FROM entity e JOIN alias a ON a.tenant = $1 AND a.idp = e.id WHERE e.tenant = $1 AND e.kind = 2 AND e.key = $3
  ) END AS clients,
  CASE WHEN $4::bytea IS NOT NULL THEN ARRAY(SELECT e.id FROM entity e WHERE e.tenant = $1 AND e.kind = 3 AND e.key = $4) END AS agents,
  CASE WHEN $5::bytea IS NOT NULL THEN ARRAY(SELECT e.id FROM entity e WHERE e.tenant = $1 AND e.kind = 5 AND e.key = $5) END AS resources,
  CASE WHEN $6::bytea IS NOT NULL THEN ARRAY(
    SELECT s.usr FROM session s WHERE s.tenant = $1 AND s.key = $6 AND s.usr IS NOT NULL
    UNION
    SELECT j.usr FROM id_jag j WHERE j.tenant = $1 AND j.session_key = $6
  ) END AS session_users,
  -- Those that state it: an IdP may tell of none, and an issuer has sessions of its own.
  CASE WHEN $6::bytea IS NOT NULL THEN ARRAY(
    (SELECT t.key FROM token t WHERE t.tenant = $1 AND t.facts #>> '{id_jag,sid}' = $11::text AND t.facts #>> '{id_jag,iss}' = $10::text ORDER BY t.ix DESC LIMIT $12)
    UNION
    (SELECT t.key FROM token t WHERE t.tenant = $1 AND t.facts ->> 'sid' = $11 AND t.facts ->> 'iss' = $10 ORDER BY t.ix DESC LIMIT $12)
  ) END AS session_tokens,
  CASE WHEN $7::bytea IS NOT NULL THEN ARRAY(
    SELECT $7
    UNION
    SELECT unnest(ARRAY[j.key, j.sha_key]) FROM id_jag j WHERE j.tenant = $1 AND (j.key = $7 OR j.sha_key = $7)
  ) END AS id_jags,
  -- Where to look for tokens of a selector that nothing narrower finds them by: clients that have any.
  CASE WHEN coalesce($2, $4, $6, $7) IS NULL THEN ARRAY(
    SELECT c.id FROM entity c
    WHERE c.tenant = $1 AND c.kind = 2
      AND ($3 IS NULL OR c.key = $3 OR c.id IN (SELECT a.local FROM entity e JOIN alias a ON a.tenant = $1 AND a.idp = e.id WHERE e.tenant = $1 AND e.kind = 2 AND e.key = $3))
      AND EXISTS (SELECT FROM token t WHERE t.tenant = $1 AND t.client = c.id)
      -- Whatever a RAS issued for an ID-JAG is for the RAS itself, too.
      AND ($5 IS NULL OR c.parts ->> 0 = $9::text
        OR EXISTS (SELECT FROM entity r JOIN edge_seen s ON s.tenant = $1 AND s.res = r.id AND s.client = c.id WHERE r.tenant = $1 AND r.kind = 5 AND r.key = $5))
    LIMIT $8
  ) END AS clients_with_tokens
