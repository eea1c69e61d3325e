  -- Selects earlier uses whose token turned out to be a second hop in the step, because its ID-JAG came.
  SELECT a.*, j.idp_client
  FROM id_jag j
  CROSS JOIN LATERAL (SELECT * FROM token x WHERE x.tenant = $1 AND x.id_jag_key IN (j.key, j.sha_key) AND x.ix < $2::bigint OFFSET 0) t
  CROSS JOIN LATERAL (
    SELECT * FROM access x WHERE x.tenant = $1 AND x.tok = t.key AND x.at > $4::bigint AND x.bound_ix < $2::bigint AND x.foreign_ix IS NULL OFFSET 0
  ) a
  WHERE j.tenant = $1 AND j.ix >= $2::bigint AND j.ix < $3::bigint AND j.parent_key IS NOT NULL
    AND a.outcome = 1 AND a.client IS NOT NULL AND a.res IS NOT NULL AND a.usr IS NOT NULL
