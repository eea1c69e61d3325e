-- Counts what stands behind tokens: their users, grants and connections, and how many tokens were used lately. Standing
-- rights that the rule names count too. The words in braces are replaced in rights.pg.ts: the selection of standing rights.
-- $1 tenant  $2 tokens  $3 beginning of the last hour  $4 rows that one step counts at most  $5 and on: values of the selector
WITH live AS MATERIALIZED (
  SELECT t.key, t.usr, t.client, t.res FROM unnest($2::bytea[]) k (key)
  CROSS JOIN LATERAL (SELECT * FROM token t WHERE t.tenant = $1 AND t.key = k.key LIMIT 1) t
),
-- Standing rights that the rule names, and those behind its tokens.
standing AS MATERIALIZED (
  {standing}
  LIMIT $4
),
held AS MATERIALIZED (
  SELECT usr, client, res FROM standing
  UNION
  SELECT g.usr, g.client, g.res
  FROM (SELECT DISTINCT l.usr, l.client, r.id AS res FROM live l CROSS JOIN LATERAL unnest(l.res) r (id)) l
  CROSS JOIN LATERAL (SELECT * FROM grant_version g WHERE g.tenant = $1 AND g.usr = l.usr AND g.client = l.client AND g.res = l.res AND g.to_ix IS NULL LIMIT 1) g
)
SELECT
  (SELECT count(*) FROM live) AS tokens,
  (SELECT count(*) FROM live l CROSS JOIN LATERAL (SELECT 1 FROM access a WHERE a.tenant = $1 AND a.tok = l.key AND a.foreign_ix IS NULL AND a.at >= $3::bigint LIMIT 1) a) AS used,
  (SELECT count(DISTINCT {person}) FROM (SELECT usr FROM live WHERE usr IS NOT NULL UNION SELECT usr FROM held) u) AS users,
  (SELECT count(*) FROM held) AS grants,
  (SELECT count(*) FROM connection_version c
   WHERE c.tenant = $1 AND c.to_ix IS NULL AND c.state <> 0 AND {connections}) AS connections,
  (SELECT count(*) >= $4 FROM standing) AS cut_off
