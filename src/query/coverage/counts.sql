-- Counts what each source said, as of a past index. Below the open block: the last row of each kind, which holds the total
-- from the beginning, and the rows of the last days for the clock. In the open block: the runs of events up to the
-- index. The indexes of a run ascend, so its first `n` are those below $3; only the runs of the batch that the index
-- cuts are read event by event.
-- $1 tenant  $2 open block  $3 as of  $4 first day that the clock is judged
-- by  $5 sources  $6 ahead, $7 prompt (milliseconds)
WITH RECURSIVE newest AS MATERIALIZED (
  SELECT (arrival / 86400000)::int AS day FROM entry WHERE tenant = $1 AND ix = $3::bigint - 1
),
said (source, what) AS (
  SELECT s.id, (SELECT min(what) FROM source_count WHERE tenant = $1 AND source = s.id) FROM unnest($5::uuid[]) AS s (id)
  UNION ALL
  SELECT s.source, (SELECT min(c.what) FROM source_count c WHERE c.tenant = $1 AND c.source = s.source AND c.what > s.what) FROM said s WHERE s.what IS NOT NULL
),
heard AS MATERIALIZED (
  SELECT s.source, s.what, c.total AS n, c.last_ix, c.last_arrival, c.last_delay,
         0 AS timed, NULL::bigint AS delay_least, NULL::bigint AS delay_most, NULL::numeric AS delay_sum, 0 AS ahead, 0 AS prompt
  FROM said s
  CROSS JOIN LATERAL (
    SELECT total, last_ix, last_arrival, last_delay FROM source_count
    WHERE tenant = $1 AND source = s.source AND what = s.what AND day <= (SELECT day FROM newest) AND blk < $2::int
    ORDER BY day DESC, blk DESC
    LIMIT 1
  ) c
  UNION ALL
  SELECT s.source, s.what, 0, NULL, NULL, NULL, c.n, c.delay_least, c.delay_most, c.delay_sum, c.ahead, c.prompt
  FROM said s
  CROSS JOIN LATERAL (
    SELECT sum(n) AS n, min(delay_least) AS delay_least, max(delay_most) AS delay_most, sum(delay_sum) AS delay_sum, sum(ahead) AS ahead, sum(prompt) AS prompt
    FROM source_count
    WHERE tenant = $1 AND source = s.source AND what = s.what AND day >= $4::int AND day <= (SELECT day FROM newest) AND blk < $2 AND delay_sum IS NOT NULL
    HAVING count(*) > 0
  ) c
  UNION ALL
  SELECT source, what, cardinality(ixs), last_ix, arrival, delays[cardinality(delays)],
         CASE WHEN delay_sum IS NOT NULL AND arrival >= $4::bigint * 86400000 THEN cardinality(ixs) ELSE 0 END, delay_least, delay_most, delay_sum, ahead, prompt
  FROM source_event
  WHERE tenant = $1 AND source = ANY ($5) AND last_ix >= $2::bigint << 16 AND last_ix < $3::bigint
  UNION ALL
  SELECT e.source, e.what, run.n, ($2::bigint << 16) + e.ixs[run.n], e.arrival, e.delays[run.n],
         CASE WHEN e.delay_sum IS NOT NULL AND e.arrival >= $4::bigint * 86400000 THEN run.n ELSE 0 END, run.delay_least, run.delay_most, run.delay_sum, run.ahead, run.prompt
  FROM source_event e
  CROSS JOIN LATERAL (
    SELECT count(*)::int AS n, min(delay) AS delay_least, max(delay) AS delay_most, sum(delay) AS delay_sum,
           count(*) FILTER (WHERE delay < -$6::bigint) AS ahead, count(*) FILTER (WHERE delay BETWEEN -$6 AND $7::bigint) AS prompt
    FROM unnest(e.ixs, e.delays) AS u (at, delay)
    WHERE ($2::bigint << 16) + at < $3
  ) run
  WHERE e.tenant = $1 AND e.source = ANY ($5) AND e.last_ix >= $3 AND e.last_ix < ($2::bigint + 1) << 16 AND ($2::bigint << 16) + e.ixs[1] < $3
),
counted AS (
  SELECT source, what, sum(n) AS n, max(last_ix) AS last_ix, sum(timed) AS timed,
         min(delay_least) FILTER (WHERE timed > 0) AS delay_least, max(delay_most) FILTER (WHERE timed > 0) AS delay_most,
         sum(delay_sum) FILTER (WHERE timed > 0) AS delay_sum,
         coalesce(sum(ahead) FILTER (WHERE timed > 0), 0) AS ahead, coalesce(sum(prompt) FILTER (WHERE timed > 0), 0) AS prompt
  FROM heard
  GROUP BY source, what
)
SELECT c.*, h.last_arrival, h.last_delay
FROM counted c JOIN heard h USING (source, what, last_ix)
ORDER BY c.source, c.what
