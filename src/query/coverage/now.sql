-- Reads what sources said, reported and were refused, as of now, from block $2 on; earlier blocks are remembered.
-- Returns JSON, because there are hundreds of rows. The upper bound $7 changes no result: the planner expects few rows
-- between two blocks, but a third of all above one.
-- $1 tenant  $2 block  $3 sources  $4 from, $5 to (epoch seconds) of refusals  $6 refusals counted  $7 last block
SELECT
  (SELECT json_agg(json_build_array(source, what, blk, day, total, last_ix, last_arrival, last_delay, n, delay_least, delay_most, delay_sum, ahead, prompt) ORDER BY day, blk)
   FROM source_count
   WHERE tenant = $1 AND blk >= $2::int AND blk <= $7::int AND source = ANY ($3::uuid[])) AS counts,
  (SELECT json_agg(json_build_array(source, blk, came, attributed))
   FROM use_source
   WHERE tenant = $1 AND source = ANY ($3) AND blk >= $2 AND blk <= $7) AS uses,
  (SELECT json_agg(json_build_array(source, code, n, read))
   FROM (
     SELECT source, code, count(*) AS n, sum(count(*)) OVER () AS read
     FROM (
       SELECT source, code
       FROM quarantine
       WHERE coalesce(tenant, '00000000-0000-0000-0000-000000000000') = $1 AND at >= to_timestamp($4::float8) AND at < to_timestamp($5::float8)
       LIMIT $6
     ) q
     GROUP BY source, code
     ORDER BY n DESC, code
   ) r) AS refused,
  (SELECT json_agg(json_build_array(source, lower(seen), upper(seen) - 1, upper(seen) - lower(seen) - numbers_in(seen), repeated, given_up))
   FROM source_sequence
   WHERE tenant = $1) AS sequences
