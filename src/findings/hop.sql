  -- Selects the tokens of the fresh uses that are a second hop: traded for a token that was no refresh token, as far as is known below $3.
  SELECT u.tok, j.idp_client
  FROM (SELECT DISTINCT tok FROM fresh WHERE client IS NOT NULL) u
  -- OFFSET 0 keeps the look-ups key by key, also without statistics.
  CROSS JOIN LATERAL (SELECT * FROM token x WHERE x.tenant = $1 AND x.key = u.tok OFFSET 0) t
  LEFT JOIN LATERAL (
    SELECT * FROM id_jag x WHERE x.tenant = $1 AND x.key = t.id_jag_key AND x.ix < $3::bigint
    UNION ALL SELECT * FROM id_jag x WHERE x.tenant = $1 AND x.sha_key = t.id_jag_key AND x.sha_key <> x.key AND x.ix < $3::bigint
    LIMIT 1
  ) j ON true
  LEFT JOIN LATERAL (SELECT * FROM token x WHERE x.tenant = $1 AND x.key = t.parent_key AND x.ix < $3::bigint OFFSET 0) p ON t.parent_key IS NOT NULL
  WHERE j.parent_key IS NOT NULL OR p.facts ->> 'kind' = 'access'
