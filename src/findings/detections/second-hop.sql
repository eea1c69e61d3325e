-- Finds uses of a token that another token was exchanged for, at a resource where its user was on no day before, through a client that did the same for fewer than
-- $4 users: not the way that the client always goes.
-- $1 tenant  $2 from  $3 to  $4 users
WITH fresh AS MATERIALIZED (
{fresh}
),
hop AS MATERIALIZED (
  SELECT f.usr, f.client, f.res, (min(f.at) / 86400)::int AS day, min(f.agent) AS agent, encode(min(f.tok), 'hex') AS tok, sum(f.n) AS n, min(f.at) AS first_at, max(f.until_at) AS last_at,
         (array_agg(f.ix ORDER BY f.at, f.ix))[1:20] AS entries
  FROM fresh f
  JOIN token t ON t.tenant = $1 AND t.key = f.tok
  LEFT JOIN id_jag j ON j.tenant = $1 AND j.key = t.id_jag_key
  WHERE f.outcome = 1 AND f.usr IS NOT NULL AND f.client IS NOT NULL AND f.res IS NOT NULL AND (t.parent_key IS NOT NULL OR j.parent_key IS NOT NULL)
  GROUP BY f.usr, f.client, f.res
)
SELECT concat_ws(' ', h.usr, h.client, h.res) AS subject, h.usr, h.client, h.agent, h.res, h.tok, h.n AS count, h.first_at, h.last_at, h.entries, '{}'::jsonb AS details
FROM hop h
WHERE NOT EXISTS (SELECT FROM finding_day d WHERE d.tenant = $1 AND d.usr = h.usr AND d.res = h.res AND d.day < h.day AND d.allowed > 0)
  AND NOT EXISTS (SELECT FROM finding_day d WHERE d.tenant = $1 AND d.usr = h.usr AND d.res = h.res AND d.day = h.day AND d.hops = 0 AND d.allowed > 0)
  AND NOT EXISTS (SELECT FROM fresh f JOIN token t ON t.tenant = $1 AND t.key = f.tok LEFT JOIN id_jag j ON j.tenant = $1 AND j.key = t.id_jag_key
                  WHERE f.usr = h.usr AND f.res = h.res AND f.outcome = 1 AND f.at < h.first_at AND t.parent_key IS NULL AND j.parent_key IS NULL)
  AND (SELECT count(*) FROM (SELECT DISTINCT d.usr FROM finding_day d
       WHERE d.tenant = $1 AND d.client = h.client AND d.res = h.res AND d.hops > 0 AND d.usr <> h.usr AND d.day >= h.day - 30 LIMIT $4::int) o) < $4::int
