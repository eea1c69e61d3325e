-- Lists what came from each source in a step, in the order of the ledger, and remembers nothing of Rescind's own entries.
-- $1 tenant  $2 from  $3 to  $4 delay from which on an event is late, milliseconds
WITH RECURSIVE source AS (
  (SELECT source FROM source_event WHERE tenant = $1 ORDER BY source LIMIT 1)
  UNION ALL
  SELECT n.source FROM source s
  CROSS JOIN LATERAL (SELECT source FROM source_event WHERE tenant = $1 AND source > s.source ORDER BY source LIMIT 1) n
)
SELECT e.source, e.arrival, (e.last_ix >> 16 << 16) + e.ixs[1] AS first_ix, e.last_ix, cardinality(e.ixs) AS events,
       (SELECT count(*) FROM unnest(e.delays) AS d (delay) WHERE delay > $4::bigint) AS late,
       ARRAY(SELECT ARRAY[lower(run), upper(run)] FROM unnest(e.numbers) AS run) AS numbers
FROM source s
CROSS JOIN LATERAL (
  SELECT * FROM source_event x WHERE x.tenant = $1 AND x.source = s.source AND x.last_ix >= $2::bigint AND x.last_ix < $3::bigint AND x.delays <> '{}'
) e
WHERE s.source <> $1
ORDER BY e.last_ix
