-- Adds up the uses of a step by the days of their users, clients and resources.
-- $1 tenant  $2 from  $3 to
WITH fresh AS MATERIALIZED (
{fresh}
)
  SELECT f.client, f.res, f.usr, (f.at / 86400)::int AS day, coalesce(sum(f.n) FILTER (WHERE f.outcome = 1), 0) AS allowed,
         coalesce(sum(f.n) FILTER (WHERE f.outcome = 2), 0) AS denied, coalesce(sum(f.records) FILTER (WHERE f.outcome = 1), 0) AS records,
         coalesce(sum(f.n) FILTER (WHERE f.outcome = 1 AND t.hop), 0) AS hops, min(f.at) AS first_at, max(f.until_at) AS last_at
  FROM fresh f
  CROSS JOIN LATERAL (
    SELECT t.parent_key IS NOT NULL OR EXISTS (SELECT FROM id_jag j WHERE j.tenant = $1 AND j.key = t.id_jag_key AND j.parent_key IS NOT NULL) AS hop
    FROM token t WHERE t.tenant = $1 AND t.key = f.tok
  ) t
  WHERE f.client IS NOT NULL AND f.res IS NOT NULL AND f.usr IS NOT NULL
  GROUP BY 1, 2, 3, 4
