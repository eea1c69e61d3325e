-- Finds open findings with evidence after their detection got its action, that are not decided by this action yet. A detection acts by its newest change, and only
-- once the ledger tells that.
-- $1 tenant  $2 limit
WITH newest AS MATERIALIZED (
  SELECT DISTINCT ON (kind) kind, nth, at_ms, said, entry FROM detection_change WHERE tenant = $1 ORDER BY kind, nth DESC
)
SELECT f.id AS finding, n.kind, n.nth, n.said ->> 'action' AS action, n.said -> 'cap' AS cap
FROM newest n
JOIN finding f ON f.tenant = $1 AND f.kind = n.kind
LEFT JOIN finding_action a ON a.tenant = $1 AND a.finding = f.id
WHERE n.entry IS NOT NULL AND n.said ->> 'action' IN ('dry-run', 'block') AND f.closed_ms IS NULL AND f.grown_ms >= n.at_ms
  AND (a.finding IS NULL OR a.nth < n.nth AND a.rule IS NULL AND a.outcome <> 'ordering')
ORDER BY f.grown_ms, f.id
LIMIT $2
