-- Reads the type of each agent: that of its newest token that states one, in its own facts or in those of the ID-JAG that it came from.
-- $1 tenant  $2 as of
SELECT e.id, t.value
FROM entity e
CROSS JOIN LATERAL (
  SELECT coalesce(t.facts #>> '{agent,type}', t.facts #>> '{id_jag,agent,type}', j.facts #>> '{agent,type}') AS value
  FROM token t
  LEFT JOIN id_jag j ON j.tenant = $1 AND t.id_jag_key IN (j.key, j.sha_key) AND j.ix < $2::bigint
  WHERE t.tenant = $1 AND t.agent = e.id AND t.ix < $2 AND coalesce(t.agent_ix, t.ix) < $2
    AND coalesce(t.facts #>> '{agent,type}', t.facts #>> '{id_jag,agent,type}', j.facts #>> '{agent,type}') IS NOT NULL
  ORDER BY t.ix DESC
  LIMIT 1
) t
WHERE e.tenant = $1 AND e.kind = 3 AND e.from_ix < $2
