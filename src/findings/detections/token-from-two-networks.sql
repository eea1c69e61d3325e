-- Finds tokens that were used from a second network. `here` is the network of the first use of the token. A person may change networks once; an agent
-- does not, and nobody comes back while still being there.
-- $1 tenant  $2 from  $3 to  $4 time to look back to
WITH fresh AS MATERIALIZED (
{fresh}
),
addressed AS MATERIALIZED (
  SELECT f.tok, f.ix, f.at, f.usr, f.client, f.agent, f.res, f.n, f.outcome, n.net, n.family, n.address
  FROM fresh f
  CROSS JOIN LATERAL (
    SELECT e.parts ->> 0 AS address, family((e.parts ->> 0)::inet) AS family,
           network(set_masklen((e.parts ->> 0)::inet, CASE family((e.parts ->> 0)::inet) WHEN 4 THEN 16 ELSE 32 END)) AS net
    FROM entity e
    WHERE e.tenant = $1 AND e.id = f.addr AND pg_input_is_valid(e.parts ->> 0, 'inet')
    OFFSET 0
  ) n
),
-- The newest uses of each token, those of the step among them.
known AS MATERIALIZED (
  SELECT t.tok, u.ix, u.at, u.net, u.family, u.address
  FROM (SELECT DISTINCT tok FROM addressed) t
  CROSS JOIN LATERAL (
    SELECT a.ix, a.at, e.parts ->> 0 AS address, family((e.parts ->> 0)::inet) AS family,
           network(set_masklen((e.parts ->> 0)::inet, CASE family((e.parts ->> 0)::inet) WHEN 4 THEN 16 ELSE 32 END)) AS net
    FROM (SELECT x.ix, x.at, x.addr FROM access x WHERE x.tenant = $1 AND x.tok = t.tok AND x.ix < $3::bigint AND x.at > $4::bigint AND x.foreign_ix IS NULL
          ORDER BY x.at DESC, x.ix DESC LIMIT 100) a
    JOIN entity e ON e.tenant = $1 AND e.id = a.addr
    WHERE pg_input_is_valid(e.parts ->> 0, 'inet')
  ) u
),
began AS (
  SELECT DISTINCT ON (tok, family) tok, family, net, address FROM known ORDER BY tok, family, at, ix
),
strange AS (
  SELECT a.*, b.address AS here,
         EXISTS (SELECT FROM known k WHERE k.tok = a.tok AND k.family = a.family AND k.net = b.net AND (k.at, k.ix) > (a.at, a.ix)) AS came_back
  FROM addressed a JOIN began b ON b.tok = a.tok AND b.family = a.family AND b.net <> a.net
),
-- The use that comes back may arrive in a later step than the use in between.
returned AS (
  SELECT DISTINCT ON (k.ix) a.tok, k.ix, k.at, a.usr, a.client, a.agent, a.res, 1::bigint AS n, k.address, b.address AS here
  FROM addressed a
  JOIN began b ON b.tok = a.tok AND b.family = a.family AND b.net = a.net
  JOIN known k ON k.tok = a.tok AND k.family = a.family AND k.net <> a.net AND (k.at, k.ix) < (a.at, a.ix)
  WHERE NOT EXISTS (SELECT FROM addressed x WHERE x.ix = k.ix) AND a.agent IS NULL
    AND NOT EXISTS (SELECT FROM known o WHERE o.tok = a.tok AND o.net = a.net AND (o.at, o.ix) > (k.at, k.ix) AND (o.at, o.ix) < (a.at, a.ix))
  ORDER BY k.ix, a.at
),
evidence AS (
  SELECT tok, ix, at, usr, client, agent, res, n, address, here FROM strange WHERE came_back OR agent IS NOT NULL
  UNION ALL
  SELECT tok, ix, at, usr, client, agent, res, n, address, here FROM returned
)
SELECT encode(tok, 'hex') AS subject, encode(tok, 'hex') AS tok, min(usr) AS usr, min(client) AS client, min(agent) AS agent, min(res) AS res,
       sum(n) AS count, min(at) AS first_at, max(at) AS last_at, array_agg(ix ORDER BY at, ix) AS entries,
       jsonb_build_object('there', min(address), 'here', min(here)) AS details
FROM evidence
GROUP BY tok
