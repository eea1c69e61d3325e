-- Finds bursts of refusals of a user through a client: many in ten minutes, more than were allowed, and far more than on any earlier day; or refusals at many
-- resources within an hour. A summary of equal calls counts as three at most. Uses of unknown lineage count by their token.
-- $1 tenant  $2 from  $3 to  $4 refusals in a window  $5 window, seconds  $6 resources in an hour  $7 time to look back to
WITH fresh AS MATERIALIZED (
{fresh}
),
who AS MATERIALIZED (
  SELECT usr, client, CASE WHEN usr IS NULL THEN tok END AS tok, min(at) AS least, max(at) AS most FROM fresh WHERE outcome = 2 GROUP BY 1, 2, 3
),
around AS MATERIALIZED (
  SELECT w.usr, w.client, w.tok AS by_tok, u.*
  FROM who w
  CROSS JOIN LATERAL (
    SELECT a.ix, a.at, least(a.n, 3) AS n, a.outcome, a.res FROM access a
    WHERE a.tenant = $1 AND a.usr = w.usr AND a.client = w.client AND a.at > w.least - 3600 AND a.at > $7::bigint AND a.at <= w.most AND a.ix < $3::bigint AND a.foreign_ix IS NULL
    ORDER BY a.at DESC LIMIT 2000
  ) u
  WHERE w.tok IS NULL
  UNION ALL
  SELECT w.usr, w.client, w.tok, u.*
  FROM who w
  CROSS JOIN LATERAL (
    SELECT a.ix, a.at, least(a.n, 3) AS n, a.outcome, a.res FROM access a
    WHERE a.tenant = $1 AND a.tok = w.tok AND a.at > w.least - 3600 AND a.at > $7::bigint AND a.at <= w.most AND a.ix < $3::bigint AND a.foreign_ix IS NULL
    ORDER BY a.at DESC LIMIT 2000
  ) u
  WHERE w.tok IS NOT NULL
),
counted AS MATERIALIZED (
  SELECT a.*, sum(n) FILTER (WHERE outcome = 2) OVER within AS refused, coalesce(sum(n) FILTER (WHERE outcome = 1) OVER within, 0) AS allowed
  FROM around a
  WINDOW within AS (PARTITION BY usr, client, by_tok ORDER BY at RANGE BETWEEN $5::bigint PRECEDING AND CURRENT ROW)
),
judged AS (
  SELECT usr, client, by_tok, (max(at) / 86400)::int AS day, max(refused) FILTER (WHERE refused > allowed) AS burst,
         count(DISTINCT res) FILTER (WHERE outcome = 2) AS resources
  FROM counted GROUP BY usr, client, by_tok
),
usual AS (
  SELECT j.*, coalesce((SELECT max(s.denied) FROM (
    SELECT sum(d.denied) AS denied FROM finding_day d WHERE d.tenant = $1 AND d.usr = j.usr AND d.client = j.client AND d.day < j.day AND d.day >= j.day - 21 GROUP BY d.day
  ) s), 0) AS usual
  FROM judged j
)
SELECT concat_ws(' ', coalesce(u.usr::text, encode(u.by_tok, 'hex')), u.client, u.day) AS subject, u.usr, u.client, min(f.agent) AS agent, min(f.res) AS res,
       encode(u.by_tok, 'hex') AS tok, sum(f.n) AS count, min(f.at) AS first_at, max(f.at) AS last_at, (array_agg(f.ix ORDER BY f.at, f.ix))[1:20] AS entries,
       jsonb_build_object('burst', coalesce(u.burst, 0), 'resources', u.resources, 'usual', u.usual) AS details
FROM usual u
JOIN fresh f ON f.usr IS NOT DISTINCT FROM u.usr AND f.client IS NOT DISTINCT FROM u.client AND (u.by_tok IS NULL OR f.tok = u.by_tok) AND f.outcome = 2
WHERE (u.burst >= $4::int AND u.burst >= 3 * u.usual) OR (u.resources >= $6::int AND u.usual < $6::int)
GROUP BY u.usr, u.client, u.by_tok, u.day, u.burst, u.resources, u.usual
