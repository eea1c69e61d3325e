-- Finds the first index from $2 on, at most $3, whose entry arrived at $4 (milliseconds) or later. Arrival never decreases, so a binary search finds it.
-- $1 tenant
WITH RECURSIVE halving AS (
  SELECT $2::bigint AS low, $3::bigint AS high
  UNION ALL
  SELECT CASE WHEN m.before THEN m.middle + 1 ELSE h.low END, CASE WHEN m.before THEN h.high ELSE m.middle END
  FROM halving h
  CROSS JOIN LATERAL (
    SELECT (h.low + h.high) / 2 AS middle,
           (SELECT e.arrival FROM entry e WHERE e.tenant = $1 AND e.ix = (h.low + h.high) / 2) < $4::bigint AS before
  ) m
  WHERE h.low < h.high
)
SELECT low AS end_ix FROM halving WHERE low = high
