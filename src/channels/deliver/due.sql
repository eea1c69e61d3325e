-- Finds the deliveries of each channel that are due, a few a channel, the longest due first.
-- $1 now  $2 the most of a channel
SELECT c.tenant, c.id, c.name, c.kind, c.settings, c.secrets, d.seq, d.finding, d.told, d.at_ms, d.attempts
FROM channel c
CROSS JOIN LATERAL (
  SELECT d.seq, d.finding, d.told, d.at_ms, d.attempts, d.next_ms FROM channel_delivery d
  WHERE d.tenant = c.tenant AND d.channel = c.id AND d.state = 0 AND d.next_ms <= $1
  ORDER BY d.next_ms, d.seq LIMIT $2
) d
WHERE c.enabled
ORDER BY d.next_ms, d.seq
