-- Adds up the uses of a step by the days of their users, clients and resources. Earlier uses that turned out to be second hops are added as such alone.
-- `hops`: the tokens of the step that are a second hop, and `idp_clients`, in the same order: the client at the IdP of each.
-- $1 tenant  $2 from  $3 to  $4 time to look back to
WITH fresh AS MATERIALIZED (
{fresh}
),
-- A second hop was traded for a token that was no refresh token, as far as is known below $3.
hop AS MATERIALIZED (
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
),
late AS MATERIALIZED (
{late_hops}
),
used AS (
  SELECT f.client, f.res, f.usr, f.at, f.until_at, CASE f.outcome WHEN 1 THEN f.n END AS allowed, CASE f.outcome WHEN 2 THEN f.n END AS denied,
         CASE f.outcome WHEN 1 THEN f.records END AS records, CASE WHEN f.outcome = 1 AND f.tok IN (SELECT tok FROM hop) THEN f.n END AS hops
  FROM fresh f
  UNION ALL
  SELECT client, res, usr, at, until_at, NULL, NULL, NULL, n FROM late
),
days AS (
  SELECT client, res, usr, (at / 86400)::int AS day, coalesce(sum(allowed), 0) AS allowed, coalesce(sum(denied), 0) AS denied,
         coalesce(sum(records), 0) AS records, coalesce(sum(hops), 0) AS hops, min(at) AS first_at, max(until_at) AS last_at
  FROM used
  WHERE client IS NOT NULL AND res IS NOT NULL AND usr IS NOT NULL
  GROUP BY 1, 2, 3, 4
)
SELECT (SELECT json_agg(d)::text FROM days d) AS days, ARRAY(SELECT tok FROM hop ORDER BY tok) AS hops, ARRAY(SELECT idp_client FROM hop ORDER BY tok) AS idp_clients
