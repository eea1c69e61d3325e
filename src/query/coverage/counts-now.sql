-- Counts what each source said, as of now: the last row of each kind, which holds the total from the beginning, and the
-- rows of the last days for the clock.
-- $1 tenant  $2 first day that the clock is judged by  $3 sources
WITH RECURSIVE said (source, what) AS (
  SELECT s.id, (SELECT min(what) FROM source_count WHERE tenant = $1 AND source = s.id) FROM unnest($3::uuid[]) AS s (id)
  UNION ALL
  SELECT s.source, (SELECT min(c.what) FROM source_count c WHERE c.tenant = $1 AND c.source = s.source AND c.what > s.what) FROM said s WHERE s.what IS NOT NULL
)
SELECT s.source, s.what, c.total AS n, c.last_ix, c.last_arrival, c.last_delay,
       coalesce(d.timed, 0) AS timed, d.delay_least, d.delay_most, d.delay_sum, coalesce(d.ahead, 0) AS ahead, coalesce(d.prompt, 0) AS prompt
FROM said s
CROSS JOIN LATERAL (
  SELECT total, last_ix, last_arrival, last_delay FROM source_count
  WHERE tenant = $1 AND source = s.source AND what = s.what
  ORDER BY day DESC, blk DESC
  LIMIT 1
) c
CROSS JOIN LATERAL (
  SELECT sum(n) AS timed, min(delay_least) AS delay_least, max(delay_most) AS delay_most, sum(delay_sum) AS delay_sum, sum(ahead) AS ahead, sum(prompt) AS prompt
  FROM source_count
  WHERE tenant = $1 AND source = s.source AND what = s.what AND day >= $2::int AND delay_sum IS NOT NULL
) d
ORDER BY s.source, s.what
