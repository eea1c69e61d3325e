-- A row a source, kind, block, day and arrival of a batch: kept as it is, and added to what is counted.
WITH came AS (
  SELECT w.*, ixs::int[] AS offsets, delays::bigint[] AS waits
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::bigint[], $9::bigint[])
    AS w (tenant, source, what, last_ix, arrival, ixs, delays, ahead, prompt)
),
kept AS (
  INSERT INTO source_event (tenant, source, last_ix, what, arrival, ixs, delays)
  SELECT tenant, source, last_ix, what, arrival, offsets, waits FROM came
)
INSERT INTO source_count AS c (tenant, source, what, blk, day, n, last_ix, last_arrival, last_delay, delay_least, delay_most, delay_sum, ahead, prompt)
SELECT tenant, source, what, (last_ix >> 16)::int, (arrival / 86400000)::int, sum(cardinality(offsets)), max(last_ix), max(arrival),
       (array_agg(waits[cardinality(waits)] ORDER BY last_ix DESC))[1],
       min((SELECT min(d) FROM unnest(waits) AS d)), max((SELECT max(d) FROM unnest(waits) AS d)), sum((SELECT sum(d) FROM unnest(waits) AS d)),
       sum(ahead), sum(prompt)
FROM came
GROUP BY tenant, source, what, (last_ix >> 16), (arrival / 86400000)
ON CONFLICT (tenant, source, what, blk, day) DO UPDATE
SET n = c.n + excluded.n, last_ix = excluded.last_ix, last_arrival = excluded.last_arrival, last_delay = excluded.last_delay,
    delay_least = least(c.delay_least, excluded.delay_least), delay_most = greatest(c.delay_most, excluded.delay_most),
    delay_sum = c.delay_sum + excluded.delay_sum, ahead = c.ahead + excluded.ahead, prompt = c.prompt + excluded.prompt
