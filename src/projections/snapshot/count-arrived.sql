-- Counts the entries that had arrived by $2 (milliseconds). Arrival never decreases, so a binary search finds the
-- count.
-- $1 tenant  $3 head
WITH RECURSIVE halving AS (
  SELECT 0::bigint AS low, $3::bigint AS high
  UNION ALL
  SELECT CASE WHEN m.came THEN m.middle + 1 ELSE h.low END, CASE WHEN m.came THEN h.high ELSE m.middle END
  FROM halving h
  CROSS JOIN LATERAL (
    SELECT (h.low + h.high) / 2 AS middle,
           (SELECT e.arrival FROM entry e WHERE e.tenant = $1 AND e.ix = (h.low + h.high) / 2) <= $2::bigint AS came
  ) m
  WHERE h.low < h.high
)
SELECT low AS index FROM halving WHERE low = high
