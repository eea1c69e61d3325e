-- What each source was heard to say, as of an index: what is counted of the blocks below the open one, and its runs of events as far as
-- the index. A run's indexes rise, so that its first `n` are those below it.
-- $1 tenant  $2 open block; for the present one that is never reached  $3 as of  $4 first day that the clock is judged by
-- $5 sources  $6 ahead, $7 prompt (milliseconds)
WITH heard AS MATERIALIZED (
  SELECT source, what, day, n, last_ix, last_arrival, last_delay, delay_least, delay_most, delay_sum, ahead, prompt
  FROM source_count
  WHERE tenant = $1 AND source = ANY ($5::uuid[]) AND blk < $2::int
  UNION ALL
  SELECT e.source, e.what, (e.arrival / 86400000)::int, run.n, ($2::bigint << 16) + e.ixs[run.n], e.arrival, e.delays[run.n],
         run.delay_least, run.delay_most, run.delay_sum, run.ahead, run.prompt
  FROM unnest($5::uuid[]) AS s (id)
  JOIN source_event e ON e.tenant = $1 AND e.source = s.id AND e.last_ix >= $2::bigint << 16 AND e.last_ix < ($2::bigint + 1) << 16
  CROSS JOIN LATERAL (
    SELECT count(*)::int AS n, min(delay) AS delay_least, max(delay) AS delay_most, sum(delay) AS delay_sum,
           count(*) FILTER (WHERE delay < -$6::bigint) AS ahead, count(*) FILTER (WHERE delay BETWEEN -$6 AND $7::bigint) AS prompt
    FROM unnest(e.ixs, e.delays) AS u (at, delay)
    WHERE ($2::bigint << 16) + at < $3::bigint
  ) run
  WHERE run.n > 0
),
counted AS (
  SELECT source, what, sum(n) AS n, max(last_ix) AS last_ix,
         coalesce(sum(n) FILTER (WHERE day >= $4::int AND delay_sum IS NOT NULL), 0) AS timed,
         min(delay_least) FILTER (WHERE day >= $4) AS delay_least, max(delay_most) FILTER (WHERE day >= $4) AS delay_most,
         sum(delay_sum) FILTER (WHERE day >= $4) AS delay_sum,
         coalesce(sum(ahead) FILTER (WHERE day >= $4), 0) AS ahead, coalesce(sum(prompt) FILTER (WHERE day >= $4), 0) AS prompt
  FROM heard
  GROUP BY source, what
)
SELECT c.*, h.last_arrival, h.last_delay
FROM counted c JOIN heard h USING (source, what, last_ix)
ORDER BY c.source, c.what
