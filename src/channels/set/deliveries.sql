-- Lists deliveries of a channel, the newest news first.
-- $1 tenant  $2 channel  $3 state, or null  $4 seq below which to go on, or null  $5 limit
SELECT d.seq, d.finding, d.told, d.at_ms, d.state, d.attempts, d.next_ms, d.last_ms, d.took_ms, d.status, d.problem FROM channel_delivery d
WHERE d.tenant = $1 AND d.channel = $2 AND ($3::smallint IS NULL OR d.state = $3) AND ($4::bigint IS NULL OR d.seq < $4)
ORDER BY d.seq DESC LIMIT $5
