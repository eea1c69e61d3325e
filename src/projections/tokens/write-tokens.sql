-- Writes tokens. A user or agent that the RAS did not state is taken from the IdP's event, if that arrived earlier.
INSERT INTO token (tenant, key, ix, seen_seq, source, facts, usr, bound_ix, client, agent, agent_ix, res, id_jag_key, parent_key, iat, exp)
SELECT w.tenant, w.key, w.ix, w.seen_seq, w.source, w.facts,
       coalesce(w.usr, j.usr),
       CASE WHEN w.usr IS NOT NULL OR w.id_jag_key IS NULL THEN w.ix WHEN j.usr IS NOT NULL THEN greatest(w.ix, j.ix) END,
       w.client, coalesce(w.agent, j.agent), CASE WHEN w.agent IS NULL AND j.agent IS NOT NULL AND j.ix > w.ix THEN j.ix END, w.res::int[], w.id_jag_key, w.parent_key, w.iat, w.exp
FROM unnest(
  $1::uuid[], $2::bytea[], $3::bigint[], $4::bigint[], $5::uuid[], $6::jsonb[], $7::int[], $8::int[], $9::int[],
  $10::text[], $11::bytea[], $12::bytea[], $13::bigint[], $14::bigint[])
  AS w (tenant, key, ix, seen_seq, source, facts, usr, client, agent, res, id_jag_key, parent_key, iat, exp)
LEFT JOIN LATERAL (
  SELECT usr, agent, ix FROM id_jag WHERE tenant = w.tenant AND key = w.id_jag_key
  UNION ALL
  SELECT usr, agent, ix FROM id_jag WHERE tenant = w.tenant AND sha_key = w.id_jag_key AND facts ->> 'iss' = w.facts #>> '{id_jag,iss}'
  LIMIT 1
) j ON true
ORDER BY w.ix
ON CONFLICT DO NOTHING
