-- What one token is and how it was used. $1 tenant  $2 key
SELECT t.key, t.ix, t.source, t.facts, t.usr, t.client, t.agent, t.conflict_ix,
       u.accesses, u.allowed, u.first, u.last
FROM token t
CROSS JOIN LATERAL (
  SELECT coalesce(sum(a.n), 0) AS accesses, coalesce(sum(a.n) FILTER (WHERE a.outcome = 1), 0) AS allowed,
         min(a.at) AS first, max(a.until_at) AS last
  FROM access a WHERE a.tenant = $1 AND a.tok = t.key
) u
WHERE t.tenant = $1 AND t.key = $2
