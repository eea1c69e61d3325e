-- Of candidates.sql: the tokens of each user, client or agent. What stands in braces is one of a closed list in tokens.pg.ts.
SELECT '{column}' || d.id || r.seed, k.key, r.ended, r.most FROM unnest({ids}::int[]) d (id) CROSS JOIN reach r
CROSS JOIN LATERAL (
  SELECT t.key FROM token t
  WHERE t.tenant = $1 AND t.{column} = d.id AND coalesce(t.exp, t.iat + 2592000) > r.low AND coalesce(t.exp, t.iat + 2592000) <= r.high AND t.ix < $2::bigint
  ORDER BY coalesce(t.exp, t.iat + 2592000) DESC LIMIT r.most
) k
WHERE $11::boolean
UNION ALL
SELECT '{column}' || d.id, k.key, false, $4 FROM unnest({ids}) d (id)
CROSS JOIN LATERAL (SELECT t.key FROM token t WHERE t.tenant = $1 AND t.{column} = d.id AND t.ix < $2 ORDER BY t.ix DESC LIMIT $4) k
WHERE NOT $11
