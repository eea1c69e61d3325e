-- The newest snapshot of this format whose last record is in this log: after a failover or from a backup it may not be.
SELECT s.seq, s.parts
FROM control_snapshot s
JOIN control_log l ON l.seq = s.seq AND date_trunc('milliseconds', l.at) = s.at
WHERE s.dumped_as = $1
ORDER BY s.seq DESC
LIMIT 1
