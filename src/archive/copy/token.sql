-- Reads the tokens that became known within a range, and earlier ones of which a fact did, as of the range's end.
-- $1 tenant  $2 first index  $3 the index after the last
WITH touched AS MATERIALIZED (
  SELECT key FROM token WHERE tenant = $1::uuid AND ix >= $2::bigint AND ix < $3::bigint
  UNION
  SELECT key FROM token WHERE tenant = $1 AND bound_ix > ix AND bound_ix >= $2 AND bound_ix < $3 AND ix < $2
  UNION
  SELECT key FROM token WHERE tenant = $1 AND agent_ix IS NOT NULL AND agent_ix >= $2 AND agent_ix < $3 AND ix < $2
  UNION
  SELECT key FROM token WHERE tenant = $1 AND conflict_ix IS NOT NULL AND conflict_ix >= $2 AND conflict_ix < $3 AND ix < $2
)
SELECT encode(t.key, 'hex') AS key, t.ix, t.facts ->> 'kind' AS kind, t.source,
       CASE WHEN t.bound_ix < $3 THEN t.bound_ix END AS bound_ix,
       CASE WHEN t.bound_ix < $3 THEN t.usr END AS usr,
       t.client,
       CASE WHEN coalesce(t.agent_ix, t.ix) < $3 THEN t.agent END AS agent,
       CASE WHEN t.agent_ix < $3 THEN t.agent_ix END AS agent_ix,
       array_to_json(t.res) AS res, encode(t.id_jag_key, 'hex') AS id_jag_key, encode(t.parent_key, 'hex') AS parent_key, t.iat, t.exp,
       CASE WHEN t.conflict_ix < $3 THEN t.conflict_ix END AS conflict_ix
FROM touched c
JOIN token t ON t.tenant = $1 AND t.key = c.key
