-- Finds tokens that were used from a second network. `here` is the network of the first use of the token. An agent does not move, and nobody comes
-- back from a network that nobody of the organisation was in before; nor is anybody in one within minutes.
-- $1 tenant  $2 from  $3 to  $4 time to look back to  $5 seconds that somebody needs to get to a new network  $6 seconds after which a network is known
-- $7 days after which a ledger knows networks
WITH fresh AS NOT MATERIALIZED (
{fresh}
),
began AS (SELECT arrival / 1000 AS at FROM entry WHERE tenant = $1 AND ix = 0),
-- The newest uses of each token, those of the step among them.
recent AS MATERIALIZED (
  SELECT t.tok, u.ix, u.at, u.addr
  FROM (SELECT DISTINCT tok FROM fresh WHERE addr IS NOT NULL) t
  CROSS JOIN LATERAL (
    SELECT x.ix, x.at, x.addr FROM access x WHERE x.tenant = $1 AND x.tok = t.tok AND x.ix < $3::bigint AND x.at > $4::bigint AND x.foreign_ix IS NULL
    ORDER BY x.at DESC, x.ix DESC LIMIT 100
  ) u
),
-- The networks of the addresses of tokens that have several, as one object: a join would compare each use with each address.
network AS MATERIALIZED (
  SELECT jsonb_object_agg(a.addr, n.net) AS nets
  FROM (SELECT DISTINCT unnest(array_agg(addr)) AS addr FROM recent GROUP BY tok HAVING min(addr) <> max(addr)) a
  CROSS JOIN LATERAL (
    SELECT network(set_masklen((e.parts ->> 0)::inet, CASE family((e.parts ->> 0)::inet) WHEN 4 THEN 16 ELSE 32 END)) AS net
    FROM entity e
    WHERE e.tenant = $1 AND e.id = a.addr AND pg_input_is_valid(e.parts ->> 0, 'inet')
    OFFSET 0
  ) n
),
-- Most tokens were in one network alone, and are not looked at further. IS TRUE makes a hash of the others; a join would compare each use with each.
moved AS MATERIALIZED (
  SELECT tok FROM (SELECT tok, ((SELECT nets FROM network) ->> addr::text) COLLATE "C" AS net FROM recent OFFSET 0) r GROUP BY tok HAVING min(net) <> max(net)
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
  WHERE EXISTS (SELECT FROM moved) AND (f.tok IN (SELECT tok FROM moved)) IS TRUE
),
known AS MATERIALIZED (
  SELECT r.tok, r.ix, r.at, n.net, n.family, n.address
  FROM recent r
  CROSS JOIN LATERAL (
    SELECT e.parts ->> 0 AS address, family((e.parts ->> 0)::inet) AS family,
           network(set_masklen((e.parts ->> 0)::inet, CASE family((e.parts ->> 0)::inet) WHEN 4 THEN 16 ELSE 32 END)) AS net
    FROM entity e
    WHERE e.tenant = $1 AND e.id = r.addr AND pg_input_is_valid(e.parts ->> 0, 'inet')
    OFFSET 0
  ) n
  WHERE (r.tok IN (SELECT tok FROM moved)) IS TRUE
),
-- A network of the size of a site is new if no address of it was named long before the token's first use there. One is enough for a token.
visited AS MATERIALIZED (
  SELECT v.*, NOT EXISTS (
    SELECT FROM entity e JOIN entry i ON i.tenant = $1 AND i.ix = e.from_ix
    WHERE e.tenant = $1 AND e.kind = 8 AND lower(e.parts ->> -1) ~>=~ v.site AND lower(e.parts ->> -1) ~<~ (v.site || '~') AND i.arrival / 1000 < v.since - $6::bigint
  ) AS is_new
  FROM (
    SELECT v.*, max(v.networks) OVER (PARTITION BY v.tok) AS most_networks, min(v.since) OVER (PARTITION BY v.tok) AS began_at, CASE v.family WHEN 4 THEN substring(v.address FROM '^(?:\d+\.){3}') ELSE lower(substring(v.address FROM '^(?:[0-9a-fA-F]*:){1,3}')) END AS site
    FROM (
      SELECT v.*, count(*) OVER (PARTITION BY v.tok, v.family) AS networks
      FROM (SELECT DISTINCT ON (tok, family, net) tok, family, net, address, at AS since, ix FROM known ORDER BY tok, family, net, at, ix) v
    ) v
  ) v
  WHERE v.most_networks > 1
),
-- A token is at home in its first network; if it came from a known one of the other family, in the first known one.
home AS (
  SELECT DISTINCT ON (tok, family) tok, family, net, address
  FROM (SELECT v.*, bool_or(v.since = v.began_at AND NOT v.is_new) OVER (PARTITION BY v.tok) AS is_from_known FROM visited v) v
  ORDER BY tok, family, is_from_known AND is_new, since, ix
),
placed AS MATERIALIZED (
  SELECT k.tok, k.ix, k.at, k.net, k.family, k.address, v.since, v.is_new, b.net AS here_net, b.address AS here
  FROM home b
  JOIN known k ON k.tok = b.tok AND k.family = b.family AND k.net <> b.net
  JOIN visited v ON v.tok = k.tok AND v.net = k.net
),
judged AS MATERIALIZED (
  SELECT p.*, p.is_new AND p.since - b.at >= $7::int * 86400
         AND p.since - (SELECT max(k.at) FROM known k WHERE k.tok = p.tok AND k.net = p.here_net AND k.at <= p.since) < $5::bigint AS is_quick
  FROM placed p
  CROSS JOIN began b
),
strange AS (
  SELECT a.tok, a.ix, a.at, a.usr, a.client, a.agent, a.res, a.n, j.address, j.here
  FROM addressed a JOIN judged j ON j.ix = a.ix
  WHERE a.agent IS NOT NULL OR j.is_quick
    OR (j.is_new AND EXISTS (SELECT FROM known k WHERE k.tok = j.tok AND k.net = j.here_net AND (k.at, k.ix) > (j.at, j.ix)))
),
-- The use that comes back may arrive in a later step than the use in between.
returned AS (
  SELECT a.tok, j.ix, j.at, a.usr, a.client, a.agent, a.res, 1::bigint AS n, j.address, j.here
  FROM judged j
  CROSS JOIN LATERAL (
    SELECT a.* FROM addressed a WHERE a.tok = j.tok AND a.net = j.here_net AND (a.at, a.ix) > (j.at, j.ix) AND a.agent IS NULL ORDER BY a.at LIMIT 1
  ) a
  WHERE j.is_new AND NOT j.is_quick AND NOT EXISTS (SELECT FROM addressed x WHERE x.ix = j.ix)
    AND NOT EXISTS (SELECT FROM known o WHERE o.tok = j.tok AND o.net = j.here_net AND (o.at, o.ix) > (j.at, j.ix) AND NOT EXISTS (SELECT FROM addressed x WHERE x.ix = o.ix))
),
evidence AS (
  SELECT * FROM strange UNION ALL SELECT * FROM returned
)
SELECT encode(tok, 'hex') AS subject, encode(tok, 'hex') AS tok, min(usr) AS usr, min(client) AS client, min(agent) AS agent, min(res) AS res,
       sum(n) AS count, min(at) AS first_at, max(at) AS last_at, array_agg(ix ORDER BY at, ix) AS entries,
       jsonb_build_object('there', min(address), 'here', min(here)) AS details
FROM evidence
GROUP BY tok
