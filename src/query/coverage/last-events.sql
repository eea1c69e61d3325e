-- Lists the last events of a source, newest first, with their payloads. Runs are read by their last event: a run whose
-- last event is older has no newer event, so as many runs as events are enough.
-- $1 tenant  $2 source  $3 events
SELECT one.ix, one.what, one.arrival, one.delay, p.mode, p.bytes
FROM (
  SELECT (run.last_ix >> 16 << 16) + u.at AS ix, run.what, run.arrival, u.delay
  FROM (
    SELECT last_ix, what, arrival, ixs, delays FROM source_event
    WHERE tenant = $1 AND source = $2 AND what NOT IN ('token', 'token.stated', 'token.arrived', 'token.parent')
    ORDER BY last_ix DESC
    LIMIT $3
  ) run
  CROSS JOIN LATERAL unnest(run.ixs, run.delays) AS u (at, delay)
  ORDER BY 1 DESC
  LIMIT $3
) one
LEFT JOIN payload p ON p.tenant = $1 AND p.ix = one.ix
ORDER BY one.ix DESC
