-- Takes one row for each source, kind, block, day and arrival of a batch; stores it unchanged and adds it to the counts.
WITH came AS (
  SELECT w.*, (last_ix >> 16)::int AS blk, (arrival / 86400000)::int AS day
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::int[], $9::bigint[], $10::bigint[],
              $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[])
    AS w (tenant, source, what, last_ix, arrival, ixs, delays, n, last_delay, delay_least, delay_most, delay_sum, ahead, prompt, numbers)
),
kept AS (
  INSERT INTO source_event (tenant, source, last_ix, what, arrival, ixs, delays, delay_least, delay_most, delay_sum, ahead, prompt, numbers)
  SELECT tenant, source, last_ix, what, arrival, ixs::int[], delays::bigint[], delay_least, delay_most, delay_sum, ahead, prompt, numbers::int8multirange FROM came
),
added AS (
  SELECT tenant, source, what, day, blk, sum(n) AS n, max(last_ix) AS last_ix, max(arrival) AS last_arrival,
         (array_agg(last_delay ORDER BY last_ix DESC))[1] AS last_delay,
         min(delay_least) AS delay_least, max(delay_most) AS delay_most, sum(delay_sum) AS delay_sum, sum(ahead) AS ahead, sum(prompt) AS prompt
  FROM came
  GROUP BY tenant, source, what, day, blk
)
INSERT INTO source_count AS c (tenant, source, what, day, blk, n, total, last_ix, last_arrival, last_delay, delay_least, delay_most, delay_sum, ahead, prompt)
SELECT a.tenant, a.source, a.what, a.day, a.blk, a.n,
       coalesce((SELECT total FROM source_count b WHERE b.tenant = a.tenant AND b.source = a.source AND b.what = a.what ORDER BY b.day DESC, b.blk DESC LIMIT 1), 0)
         + sum(a.n) OVER (PARTITION BY a.tenant, a.source, a.what ORDER BY a.day, a.blk),
       a.last_ix, a.last_arrival, a.last_delay, a.delay_least, a.delay_most, a.delay_sum, a.ahead, a.prompt
FROM added a
ON CONFLICT (tenant, source, what, day, blk) DO UPDATE
SET n = c.n + excluded.n, total = excluded.total, last_ix = excluded.last_ix, last_arrival = excluded.last_arrival, last_delay = excluded.last_delay,
    delay_least = least(c.delay_least, excluded.delay_least), delay_most = greatest(c.delay_most, excluded.delay_most),
    delay_sum = c.delay_sum + excluded.delay_sum, ahead = c.ahead + excluded.ahead, prompt = c.prompt + excluded.prompt
