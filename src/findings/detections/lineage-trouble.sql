-- Finds tokens and ID-JAGs about which two events contradict each other: two of the same thing, or a token's that states of its ID-JAG what the
-- IdP does not say.
-- $1 tenant  $2 from  $3 to
WITH pair AS (
  SELECT t.key, t.ix, t.client, t.res[1] AS res, t.source, t.facts -> 'id_jag' AS stated, j.key AS jag, j.ix AS jag_ix, j.usr, j.agent, j.facts
  FROM token t
  CROSS JOIN LATERAL (
    SELECT * FROM id_jag x WHERE x.tenant = $1 AND x.key = t.id_jag_key
    UNION ALL SELECT * FROM id_jag x WHERE x.tenant = $1 AND x.sha_key = t.id_jag_key AND x.sha_key <> x.key
  ) j
  WHERE t.tenant = $1 AND t.ix >= $2::bigint AND t.ix < $3::bigint AND j.ix < t.ix
  UNION ALL
  SELECT t.key, t.ix, t.client, t.res[1], t.source, t.facts -> 'id_jag', j.key, j.ix, j.usr, j.agent, j.facts
  FROM id_jag j
  -- OFFSET 0 keeps the look-ups key by key, also without statistics.
  CROSS JOIN LATERAL (SELECT * FROM token x WHERE x.tenant = $1 AND x.id_jag_key IN (j.key, j.sha_key) OFFSET 0) t
  WHERE j.tenant = $1 AND j.ix >= $2::bigint AND j.ix < $3::bigint AND t.ix < j.ix
)
SELECT concat('token ', encode(t.key, 'hex')) AS subject, t.usr, t.client, t.agent, t.res[1] AS res, encode(t.key, 'hex') AS tok, t.source, 1::bigint AS count, i.arrival / 1000 AS first_at,
       i.arrival / 1000 AS last_at, ARRAY[t.ix, t.conflict_ix] AS entries, jsonb_build_object('how', 'contradicted') AS details, t.conflict_ix AS ix
FROM token t JOIN entry i ON i.tenant = $1 AND i.ix = t.conflict_ix
WHERE t.tenant = $1 AND t.conflict_ix >= $2::bigint AND t.conflict_ix < $3::bigint
UNION ALL
SELECT concat('id-jag ', encode(j.key, 'hex')), j.usr, j.client, j.agent, NULL, NULL, j.source, 1, i.arrival / 1000, i.arrival / 1000, ARRAY[j.ix, j.conflict_ix],
       jsonb_build_object('how', 'contradicted'), j.conflict_ix
FROM id_jag j JOIN entry i ON i.tenant = $1 AND i.ix = j.conflict_ix
WHERE j.tenant = $1 AND j.conflict_ix >= $2::bigint AND j.conflict_ix < $3::bigint
UNION ALL
SELECT concat('id-jag ', encode(p.jag, 'hex')), p.usr, p.client, p.agent, p.res, encode(p.key, 'hex'), p.source, 1, i.arrival / 1000, i.arrival / 1000, ARRAY[p.ix, p.jag_ix],
       jsonb_build_object('how', 'misstated', 'stated', p.stated ->> 'sub'), greatest(p.ix, p.jag_ix)
FROM pair p JOIN entry i ON i.tenant = $1 AND i.ix = greatest(p.ix, p.jag_ix)
WHERE p.stated ->> 'sub' <> p.facts ->> 'sub' OR p.stated ->> 'tenant' <> p.facts ->> 'tenant' OR p.stated ->> 'sid' <> p.facts ->> 'sid'
  OR p.stated #>> '{agent,id}' <> p.facts #>> '{agent,id}'
ORDER BY ix, subject
