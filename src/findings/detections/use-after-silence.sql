-- Lists the uses of a step of each client and resource that woke in it, or is awake: in the order in which they became known, with the time since which
-- nothing had been used before them. That is the last use before, or the approval of what was never used.
-- $1 tenant  $2 from  $3 to  $4 silence, seconds  $5, $6 clients and resources that are awake
WITH fresh AS (
{fresh}
),
used AS (
  SELECT client, res, usr, agent, ix, greatest(ix, bound_ix) AS known_ix, at, until_at, n, coalesce(records, 0) AS records
  FROM fresh
  WHERE outcome = 1 AND client IS NOT NULL AND res IS NOT NULL AND usr IS NOT NULL
),
-- A pair is left out if it was used so short a time before that none of its uses can have woken it.
pair AS MATERIALIZED (
  SELECT p.client, p.res, before.last_at, approved.at AS approved_at
  FROM (SELECT client, res, min(at) AS at, max(at) AS most FROM used GROUP BY client, res) p
  LEFT JOIN LATERAL (
    -- The last use is of interest if it may be long ago. Else its day suffices.
    SELECT CASE WHEN d.day < (p.at - $4::bigint) / 86400 + 1
      THEN (SELECT max(x.last_at) FROM finding_day x WHERE x.tenant = $1 AND x.client = p.client AND x.res = p.res AND x.day = d.day AND x.allowed > 0)
      ELSE d.day * 86400::bigint END AS last_at
    FROM finding_day d WHERE d.tenant = $1 AND d.client = p.client AND d.res = p.res AND d.allowed > 0
    ORDER BY d.day DESC LIMIT 1
  ) before ON true
  LEFT JOIN LATERAL (
    SELECT max(c.at) AS at FROM connection_version c
    WHERE before.last_at IS NULL AND c.tenant = $1 AND c.client = p.client AND c.res = p.res AND c.state = 1 AND c.at > 0 AND c.from_ix < $2::bigint
  ) approved ON true
  WHERE before.last_at IS NULL OR p.most - before.last_at >= $4::bigint OR (p.client, p.res) IN (SELECT * FROM unnest($5::int[], $6::int[]))
),
timed AS MATERIALIZED (
  SELECT u.*, coalesce(greatest(p.last_at, u.last_at), p.approved_at) AS since, greatest(p.last_at, u.last_at) IS NULL AS never
  FROM (
    SELECT u.*, max(until_at) OVER (PARTITION BY client, res ORDER BY known_ix, ix ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS last_at
    FROM used u WHERE (client, res) IN (SELECT client, res FROM pair)
  ) u
  JOIN pair p ON p.client = u.client AND p.res = u.res
)
SELECT t.client, t.res, t.usr, t.agent, t.ix, t.at, t.until_at, t.n, t.records, t.since, t.never, coalesce(t.at - t.since >= $4::bigint, false) AS woke
FROM timed t
WHERE (t.client, t.res) IN (SELECT w.client, w.res FROM timed w WHERE w.at - w.since >= $4::bigint)
  OR (t.client, t.res) IN (SELECT * FROM unnest($5::int[], $6::int[]))
ORDER BY t.known_ix, t.ix
