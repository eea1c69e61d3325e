-- Tells whether the ledger has mentioned each member of a selector. A member that the selector lacks has a null key and counts as not seen.
-- $1 tenant  $2 user  $3 client  $4 agent  $5 agent type  $6 resource  $7 session  $8 ID-JAG  $9 token: keys
-- $10 issuer  $11 issuer and $12 sid of the session: texts
SELECT
  EXISTS (SELECT FROM entity e WHERE e.tenant = $1 AND e.kind = 1 AND e.key = $2::bytea) AS "user",
  EXISTS (SELECT FROM entity e WHERE e.tenant = $1 AND e.kind = 2 AND e.key = $3::bytea) AS client,
  EXISTS (SELECT FROM entity e WHERE e.tenant = $1 AND e.kind = 3 AND e.key = $4::bytea) AS agent,
  EXISTS (SELECT FROM entity e WHERE e.tenant = $1 AND e.kind = 4 AND e.key = $5::bytea) AS agent_type,
  EXISTS (SELECT FROM entity e WHERE e.tenant = $1 AND e.kind = 5 AND e.key = $6::bytea) AS resource,
  EXISTS (SELECT FROM session s WHERE s.tenant = $1 AND s.key = $7::bytea)
    OR EXISTS (SELECT FROM id_jag j WHERE j.tenant = $1 AND j.session_key = $7)
    OR EXISTS (SELECT FROM token t WHERE t.tenant = $1 AND t.facts #>> '{id_jag,sid}' = $12::text AND t.facts #>> '{id_jag,iss}' = $11::text)
    OR EXISTS (SELECT FROM token t WHERE t.tenant = $1 AND t.facts ->> 'sid' = $12 AND t.facts ->> 'iss' = $11) AS session,
  EXISTS (SELECT FROM id_jag j WHERE j.tenant = $1 AND j.key = $8::bytea)
    OR EXISTS (SELECT FROM id_jag j WHERE j.tenant = $1 AND j.sha_key = $8)
    OR EXISTS (SELECT FROM token t WHERE t.tenant = $1 AND t.id_jag_key = $8) AS id_jag,
  EXISTS (SELECT FROM token t WHERE t.tenant = $1 AND t.key = $9::bytea)
    OR EXISTS (SELECT FROM token t WHERE t.tenant = $1 AND t.parent_key = $9)
    OR EXISTS (SELECT FROM id_jag j WHERE j.tenant = $1 AND j.parent_key = $9) AS token,
  $10::text IS NOT NULL AND EXISTS (SELECT FROM entity e WHERE e.tenant = $1 AND e.kind IN (1, 2, 3) AND e.parts ->> 0 = $10) AS issuer
