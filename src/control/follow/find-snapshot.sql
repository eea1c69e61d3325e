-- Finds the newest snapshot of this format whose last record is in this log. After a failover, or in a restored backup, it may be missing.
SELECT s.seq, s.parts
FROM control_snapshot s
JOIN control_log l ON l.seq = s.seq AND date_trunc('milliseconds', l.at) = s.at
WHERE s.dumped_as = $1
ORDER BY s.seq DESC
LIMIT 1
