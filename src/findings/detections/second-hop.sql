-- Finds uses of a token that another token was exchanged for, at a resource where its user was on no day before, through a client that went further for fewer
-- than $4 users before, to any resource: not the way that it always goes. A ledger younger than $5 seconds cannot know.
-- $1 tenant  $2 from  $3 to  $4 users  $5 seconds
WITH fresh AS MATERIALIZED (
{fresh}
),
hop AS MATERIALIZED (
  SELECT f.usr, f.client, f.res, (min(f.at) / 86400)::int AS day, min(f.agent) AS agent, min(j.idp_client) AS idp_client, encode(min(f.tok), 'hex') AS tok, sum(f.n) AS n, min(f.at) AS first_at, max(f.until_at) AS last_at,
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
  AND (SELECT arrival / 1000 FROM entry WHERE tenant = $1 AND ix = 0) < h.first_at - $5::bigint
  AND (SELECT count(*) FROM (
    SELECT DISTINCT d.usr
    FROM (SELECT h.client AS id UNION SELECT a.local FROM alias a WHERE a.tenant = $1 AND a.idp = h.idp_client) c
    JOIN finding_day d ON d.tenant = $1 AND d.client = c.id AND d.hops > 0 AND d.usr <> h.usr AND d.day >= h.day - 30
    LIMIT $4::int) o) < $4::int
