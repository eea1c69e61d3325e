-- Finds days on which a user, client and resource read far more records than on their own earlier days; if they have no two of those, than the
-- other users of the resource on theirs. `finding_day` does not have the step yet. A finding begins with all that was read on its day, and each later use
-- of the day that reads records adds to it.
-- $1 tenant  $2 from  $3 to  $4 least records  $5 times the usual  $6 times what is usual for others  $7 days  $8 days after which a ledger knows what is usual
-- $9 time to look back to
WITH fresh AS NOT MATERIALIZED (
{fresh}
),
began AS (SELECT arrival / 1000 AS at FROM entry WHERE tenant = $1 AND ix = 0),
read AS MATERIALIZED (
  SELECT client, res, usr, (at / 86400)::int AS day, sum(records) AS records, sum(n) AS n, min(agent) AS agent, min(at) AS first_at, max(until_at) AS last_at
  FROM fresh
  WHERE outcome = 1 AND records > 0 AND client IS NOT NULL AND res IS NOT NULL AND usr IS NOT NULL
  GROUP BY client, res, usr, (at / 86400)::int
),
large AS MATERIALIZED (
  SELECT r.*, r.records + coalesce(d.records, 0) AS total
  FROM read r
  -- OFFSET 0 keeps the look-ups key by key, also without statistics.
  LEFT JOIN LATERAL (
    SELECT x.records FROM finding_day x WHERE x.tenant = $1 AND x.client = r.client AND x.res = r.res AND x.usr = r.usr AND x.day = r.day OFFSET 0
  ) d ON true
  WHERE r.records + coalesce(d.records, 0) >= $4::bigint
),
-- The usual amount of the pair: nine of ten of its days read no more, nor does the largest of the same weekday.
compared AS MATERIALIZED (
  SELECT l.*, own.days, own.usual
  FROM large l
  CROSS JOIN LATERAL (
    SELECT count(*) AS days, coalesce(greatest(percentile_disc(0.9) WITHIN GROUP (ORDER BY d.records), max(d.records) FILTER (WHERE (l.day - d.day) % 7 = 0)), 0) AS usual
    FROM finding_day d
    WHERE d.tenant = $1 AND d.usr = l.usr AND d.res = l.res AND d.client = l.client AND d.day < l.day AND d.day >= l.day - $7::int AND d.records > 0
  ) own
  WHERE l.total >= $5::int * own.usual
),
judged AS (
  SELECT c.client, c.res, c.usr, c.day, c.agent, c.n, c.first_at, c.last_at, c.total, greatest(c.usual, others.usual) AS usual, c.days >= 2 OR c.total >= $6::int * others.usual AS is_far
  FROM compared c
  CROSS JOIN LATERAL (
    SELECT coalesce(percentile_disc(0.9) WITHIN GROUP (ORDER BY o.most), 0) AS usual
    FROM (
      SELECT max(d.records) AS most
      FROM edge_seen s
      JOIN finding_day d ON d.tenant = $1 AND d.client = s.client AND d.res = s.res AND d.day < c.day AND d.day >= c.day - $7::int
      WHERE c.days < 2 AND s.tenant = $1 AND s.res = c.res AND d.records > 0
      GROUP BY d.client, d.usr
    ) o
  ) others
)
SELECT j.subject, j.usr, j.client, j.agent, j.res, j.n + coalesce(b.n, 0) AS count, least(j.first_at, b.first_at) AS first_at, greatest(j.last_at, b.last_at) AS last_at,
       ARRAY(
         SELECT x FROM unnest(b.entries || ARRAY(
           SELECT f.ix FROM fresh f
           WHERE f.outcome = 1 AND f.records > 0 AND f.client = j.client AND f.res = j.res AND f.usr = j.usr AND (f.at / 86400)::int = j.day
         )) AS x ORDER BY x LIMIT 20
       ) AS entries,
       jsonb_build_object('records', j.total, 'usual', j.usual, 'day', to_char(to_timestamp(j.day * 86400::bigint) AT TIME ZONE 'UTC', 'YYYY-MM-DD')) AS details
FROM (SELECT concat_ws(' ', client, res, usr, day) AS subject, * FROM judged) j
CROSS JOIN began
-- Earlier steps read what made no finding yet.
CROSS JOIN LATERAL (
  SELECT sum(a.n) AS n, min(a.at) AS first_at, max(a.until_at) AS last_at, array_agg(a.ix) AS entries
  FROM access a
  WHERE a.tenant = $1 AND a.usr = j.usr AND (a.usr, a.at) >= (j.usr, greatest(j.day * 86400::bigint, $9::bigint)) AND (a.usr, a.at) < (j.usr, (j.day + 1) * 86400::bigint)
    AND a.client = j.client AND a.res = j.res AND a.outcome = 1 AND a.records > 0 AND greatest(a.ix, a.bound_ix) < $2::bigint AND a.foreign_ix IS NULL
    AND NOT EXISTS (SELECT FROM finding f WHERE f.tenant = $1 AND f.kind = 'bulk-export' AND f.subject = j.subject)
) b
WHERE j.is_far AND (j.day + 1) * 86400::bigint - began.at >= $8::int * 86400
