-- What each source was heard to say, as of an index: what is counted of the blocks below the open one, and its events one by one.
-- $1 tenant  $2 open block; for the present one that is never reached  $3 as of  $4 first day that the clock is judged by
-- $5 sources  $6 ahead, $7 prompt (milliseconds)
WITH heard AS (
  SELECT source, what, day, n, last_ix, last_arrival, last_delay, delay_least, delay_most, delay_sum, ahead, prompt
  FROM source_count
  WHERE tenant = $1 AND source = ANY ($5::uuid[]) AND blk < $2::int
  UNION ALL
  SELECT e.source, e.what, (e.arrival / 86400000)::int, 1, one.ix, e.arrival, one.delay, one.delay, one.delay, one.delay,
         (one.delay < -$6::bigint)::int, (one.delay BETWEEN -$6 AND $7::bigint)::int
  FROM unnest($5::uuid[]) AS s (id)
  JOIN source_event e ON e.tenant = $1 AND e.source = s.id AND e.last_ix >= $2::bigint << 16 AND e.last_ix < ($2::bigint + 1) << 16
  CROSS JOIN LATERAL (SELECT ($2::bigint << 16) + at AS ix, delay FROM unnest(e.ixs, e.delays) AS u (at, delay)) one
  WHERE one.ix < $3::bigint
)
SELECT source, what, sum(n) AS n, max(last_ix) AS last_ix, (array_agg(last_arrival ORDER BY last_ix DESC))[1] AS last_arrival,
       (array_agg(last_delay ORDER BY last_ix DESC))[1] AS last_delay,
       coalesce(sum(n) FILTER (WHERE day >= $4::int AND delay_sum IS NOT NULL), 0) AS timed,
       min(delay_least) FILTER (WHERE day >= $4) AS delay_least, max(delay_most) FILTER (WHERE day >= $4) AS delay_most,
       sum(delay_sum) FILTER (WHERE day >= $4) AS delay_sum,
       coalesce(sum(ahead) FILTER (WHERE day >= $4), 0) AS ahead, coalesce(sum(prompt) FILTER (WHERE day >= $4), 0) AS prompt
FROM heard
GROUP BY source, what
ORDER BY source, what
