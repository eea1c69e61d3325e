-- Counts deliveries that wait and that are dead, and finds since when the oldest waits, of channels in use.
SELECT count(*) FILTER (WHERE d.state = 0) AS waiting, count(*) FILTER (WHERE d.state = 2) AS dead, min(d.at_ms) FILTER (WHERE d.state = 0) AS oldest_ms
FROM (
  SELECT w.tenant, w.channel, w.state, w.at_ms FROM channel_delivery w WHERE w.state = 0
  UNION ALL SELECT x.tenant, x.channel, x.state, x.at_ms FROM channel_delivery x WHERE x.state = 2
) d JOIN channel c ON c.tenant = d.tenant AND c.id = d.channel
WHERE c.enabled
