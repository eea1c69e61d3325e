-- Decides which of the tokens that candidates.sql found are live and selected, as far as SQL can say for certain what
-- rules/ says: for a token that states its lineage itself, or together with the one token that it came from and their one
-- ID-JAG. The caller judges the others (null). Lists of resources are bounded, so that no dimension has more values than
-- a token may have. The words in braces are replaced in hit.pg.ts: the selection, and its times.
SELECT c.cut_off, h.hit, h.unsure
FROM (SELECT EXISTS (SELECT FROM seeded GROUP BY part, id HAVING count(*) >= $5) AS cut_off) c
CROSS JOIN (
  SELECT string_agg(d.key, '') FILTER (WHERE d.hit) AS hit, string_agg(d.key, '') FILTER (WHERE d.hit IS NULL) AS unsure
  FROM (
    SELECT s.key,
      CASE
        WHEN p.conflict_ix < $2 OR j.conflict_ix < $2 OR {granted} < $4 THEN false
        WHEN p.parent_key IS NOT NULL OR j.parent_key IS NOT NULL OR j.n > 1 OR s.id_jag_key <> p.id_jag_key
          OR jsonb_array_length(j.facts -> 'aud') > 1
          OR cardinality(s.res) + coalesce(cardinality(p.res), 0) + coalesce(jsonb_array_length(j.facts -> 'resource'), 0) > 5 THEN NULL
        WHEN ({selected}) IS NOT TRUE THEN false
        ELSE {timely}
      END AS hit
    FROM newest a
    CROSS JOIN LATERAL (SELECT * FROM token s WHERE s.tenant = $1 AND s.key = a.key LIMIT 1) s
    LEFT JOIN LATERAL (SELECT * FROM token p WHERE p.tenant = $1 AND p.key = s.parent_key AND p.ix < $2 LIMIT 1) p ON true
    LEFT JOIN LATERAL (
      SELECT i.*, count(*) OVER () AS n FROM (
        SELECT * FROM id_jag j WHERE j.tenant = $1 AND j.key = coalesce(s.id_jag_key, p.id_jag_key) AND j.ix < $2
        UNION ALL
        SELECT * FROM id_jag j WHERE j.tenant = $1 AND j.sha_key = coalesce(s.id_jag_key, p.id_jag_key) AND j.ix < $2
        OFFSET 0
      ) i
      LIMIT 1
    ) j ON true
  ) d
) h
