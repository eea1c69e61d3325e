-- Adds the uses of a batch to the sums of their blocks. `counted` may have several rows under one key.
-- {sums}: the columns of the sums; {summed}: those of `counted` added up; {added}: their values in a row of an earlier batch.
-- $1 to $20: attributed uses  $21 tenants, $22 sources, $23 blocks, $24 numbers of the uses that came
WITH counted AS MATERIALIZED (
  SELECT *
  FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[], $5::int[], $6::int[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[],
              $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[])
    AS c (tenant, source, blk, hour, client, res, {sums}, first_at, last_at, first_allowed, last_allowed, first_ix)
),
use_total_kept AS (
  INSERT INTO use_total AS u (tenant, blk, hour, {sums})
  SELECT tenant, blk, hour, {summed} FROM counted GROUP BY tenant, blk, hour
  ON CONFLICT (tenant, hour, blk) DO UPDATE SET ({sums}) = ({added})
),
use_client_kept AS (
  INSERT INTO use_client AS u (tenant, client, blk, hour, {sums})
  SELECT tenant, client, blk, hour, {summed} FROM counted GROUP BY tenant, client, blk, hour
  ON CONFLICT (tenant, client, hour, blk) DO UPDATE SET ({sums}) = ({added})
),
use_res_kept AS (
  INSERT INTO use_res AS u (tenant, res, blk, hour, {sums})
  SELECT tenant, res, blk, hour, {summed} FROM counted WHERE res IS NOT NULL GROUP BY tenant, res, blk, hour
  ON CONFLICT (tenant, res, hour, blk) DO UPDATE SET ({sums}) = ({added})
),
edge_use_kept AS (
  INSERT INTO edge_use AS u (tenant, blk, client, res, {sums}, first_at, last_at, first_allowed, last_allowed)
  SELECT tenant, blk, client, res, {summed}, min(first_at), max(last_at), min(first_allowed), max(last_allowed)
  FROM counted WHERE res IS NOT NULL GROUP BY tenant, blk, client, res
  ON CONFLICT (tenant, blk, client, res) DO UPDATE SET ({sums}) = ({added}),
    first_at = least(u.first_at, excluded.first_at), last_at = greatest(u.last_at, excluded.last_at),
    first_allowed = least(u.first_allowed, excluded.first_allowed), last_allowed = greatest(u.last_allowed, excluded.last_allowed)
),
use_source_kept AS (
  INSERT INTO use_source AS u (tenant, blk, source, came, attributed)
  SELECT tenant, blk, source, capped(sum(came)), capped(sum(attributed))
  FROM (
    SELECT tenant, blk, source, came, 0 AS attributed FROM unnest($21::uuid[], $22::uuid[], $23::int[], $24::bigint[]) AS c (tenant, source, blk, came)
    UNION ALL
    SELECT tenant, blk, source, 0, n FROM counted
  ) s
  GROUP BY tenant, blk, source
  ON CONFLICT (tenant, source, blk) DO UPDATE SET
    came = capped(u.came::numeric + excluded.came), attributed = capped(u.attributed::numeric + excluded.attributed)
)
-- Written once: an earlier batch always has the lower index, so the first row stays.
INSERT INTO edge_seen (tenant, client, res, first_ix)
SELECT tenant, client, res, min(first_ix) FROM counted WHERE res IS NOT NULL GROUP BY tenant, client, res
ON CONFLICT DO NOTHING
