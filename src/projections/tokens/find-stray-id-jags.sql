-- Finds the ID-JAGs whose names the columns of their tokens do not lead from, among the tokens and ID-JAGs of this batch: issued by another
-- IdP than the token says (who knows its digest can announce one), to other RASs, or for another client, user or agent.
-- OFFSET 0 keeps the look-ups key by key, also without statistics.
-- $1 tenants, $2 keys of tokens; $3 tenants, $4 keys of ID-JAGs
WITH pair AS (
  SELECT t.tenant, t.key, greatest(t.ix, j.ix) AS ix, t.facts AS told, t.usr, t.agent, j.facts, j.usr AS j_usr, j.agent AS j_agent
  FROM unnest($1::uuid[], $2::bytea[]) AS w (tenant, key)
  CROSS JOIN LATERAL (SELECT * FROM token t WHERE t.tenant = w.tenant AND t.key = w.key OFFSET 0) t
  CROSS JOIN LATERAL (
    SELECT j.ix, j.facts, j.usr, j.agent FROM id_jag j WHERE j.tenant = t.tenant AND j.key = t.id_jag_key
    UNION ALL
    SELECT j.ix, j.facts, j.usr, j.agent FROM id_jag j WHERE j.tenant = t.tenant AND j.sha_key = t.id_jag_key AND t.facts #>> '{id_jag,jti}' IS NULL
    OFFSET 0
  ) j
  UNION ALL
  SELECT t.tenant, t.key, greatest(t.ix, j.ix), t.facts, t.usr, t.agent, j.facts, j.usr, j.agent
  FROM unnest($3::uuid[], $4::bytea[]) AS w (tenant, key)
  CROSS JOIN LATERAL (SELECT * FROM id_jag j WHERE j.tenant = w.tenant AND j.key = w.key OFFSET 0) j
  CROSS JOIN LATERAL (SELECT * FROM token t WHERE t.tenant = j.tenant AND t.id_jag_key IN (j.key, j.sha_key) OFFSET 0) t
)
SELECT tenant, key, ix, facts
FROM pair
WHERE facts ->> 'iss' <> told #>> '{id_jag,iss}'
  OR facts -> 'aud' <> jsonb_build_array(told ->> 'iss')
  OR facts ->> 'client_id' <> told ->> 'client_id'
  OR usr <> j_usr
  -- An agent is found by its id, whoever issued it.
  OR (agent <> j_agent AND facts #>> '{agent,id}' IS DISTINCT FROM coalesce(told #>> '{id_jag,agent,id}', told #>> '{agent,id}'))
