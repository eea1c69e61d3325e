-- Tells whether the ledger has mentioned each member of a selector. A member that the selector lacks has a null key and counts as not seen.
-- $1 tenant  $2 key of the session  $3 its issuer and $4 its sid: texts  $5 key of the ID-JAG  $6 key of the token  $7 issuer: text
-- The first columns are of the dimensions whose names are entities; their keys are the parameters from $8 on.
SELECT
  {entities},
  EXISTS (SELECT FROM session s WHERE s.tenant = $1 AND s.key = $2::bytea)
    OR EXISTS (SELECT FROM id_jag j WHERE j.tenant = $1 AND j.session_key = $2)
    OR EXISTS (SELECT FROM token t WHERE t.tenant = $1 AND t.facts #>> '{id_jag,sid}' = $4::text AND t.facts #>> '{id_jag,iss}' = $3::text)
    OR EXISTS (SELECT FROM token t WHERE t.tenant = $1 AND t.facts ->> 'sid' = $4 AND t.facts ->> 'iss' = $3) AS session,
  EXISTS (SELECT FROM id_jag j WHERE j.tenant = $1 AND j.key = $5::bytea)
    OR EXISTS (SELECT FROM id_jag j WHERE j.tenant = $1 AND j.sha_key = $5)
    OR EXISTS (SELECT FROM token t WHERE t.tenant = $1 AND t.id_jag_key = $5) AS id_jag,
  EXISTS (SELECT FROM token t WHERE t.tenant = $1 AND t.key = $6::bytea)
    OR EXISTS (SELECT FROM token t WHERE t.tenant = $1 AND t.parent_key = $6)
    OR EXISTS (SELECT FROM id_jag j WHERE j.tenant = $1 AND j.parent_key = $6) AS token,
  $7::text IS NOT NULL AND EXISTS (SELECT FROM entity e WHERE e.tenant = $1 AND e.kind IN (1, 2, 3) AND e.parts ->> 0 = $7) AS issuer
