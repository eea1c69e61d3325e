-- Finds ledgers whose next range has closed: it is full, or its first entry's day is over.
-- $1 entries of a range  $2 milliseconds of a day
-- `limit_ix`: where the range ends unless a day ends within it. `closed_ms`: when it closed. `now_ms`: the clock of the database.
SELECT tenant, first_ix, limit_ix, day_end_ms,
       CASE WHEN full_range THEN least(day_end_ms, full_ms) ELSE day_end_ms END AS closed_ms, now_ms
FROM (
  SELECT o.*, o.limit_ix = o.full_ix AS full_range, (first.arrival / $2::bigint + 1) * $2 AS day_end_ms,
         CASE WHEN o.limit_ix = o.full_ix THEN last.arrival END AS full_ms,
         (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
  FROM (
    SELECT h.tenant, h.last_arrival, s.first_ix, (s.first_ix / $1::bigint + 1) * $1 AS full_ix,
           least((s.first_ix / $1 + 1) * $1, h.next_ix) AS limit_ix
    FROM ledger_head h
    CROSS JOIN LATERAL (SELECT coalesce((SELECT a.end_ix FROM archive_head a WHERE a.tenant = h.tenant), 0) AS first_ix) s
    WHERE h.next_ix > s.first_ix
  ) o
  JOIN entry first ON first.tenant = o.tenant AND first.ix = o.first_ix
  JOIN entry last ON last.tenant = o.tenant AND last.ix = o.limit_ix - 1
) r
WHERE full_range OR greatest(last_arrival, now_ms) >= day_end_ms
ORDER BY closed_ms, tenant
