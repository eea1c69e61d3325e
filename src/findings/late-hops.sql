  -- Selects earlier uses whose token turned out to be a second hop in the step, because its ID-JAG came.
  SELECT a.*, j.idp_client
  FROM id_jag j
  JOIN token t ON t.tenant = $1 AND t.id_jag_key IN (j.key, j.sha_key) AND t.ix < $2::bigint
  JOIN access a ON a.tenant = $1 AND a.tok = t.key AND a.at > $4::bigint AND a.bound_ix < $2::bigint AND a.foreign_ix IS NULL
  WHERE j.tenant = $1 AND j.ix >= $2::bigint AND j.ix < $3::bigint AND j.parent_key IS NOT NULL
    AND a.outcome = 1 AND a.client IS NOT NULL AND a.res IS NOT NULL AND a.usr IS NOT NULL
