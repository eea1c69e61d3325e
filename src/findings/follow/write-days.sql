-- Adds the uses of a step to the days of their users, clients and resources.
-- $1 tenant  $2 from  $3 to
WITH fresh AS MATERIALIZED (
{fresh}
),
summed AS (
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
)
INSERT INTO finding_day AS d (tenant, client, res, usr, day, allowed, denied, records, hops, first_at, last_at)
SELECT $1, client, res, usr, day, capped(allowed), capped(denied), capped(records), capped(hops), first_at, last_at FROM summed
ORDER BY client, res, day, usr
ON CONFLICT (tenant, client, res, day, usr) DO UPDATE SET
  allowed = capped(d.allowed::numeric + excluded.allowed), denied = capped(d.denied::numeric + excluded.denied),
  records = capped(d.records::numeric + excluded.records), hops = capped(d.hops::numeric + excluded.hops),
  first_at = least(d.first_at, excluded.first_at), last_at = greatest(d.last_at, excluded.last_at)
