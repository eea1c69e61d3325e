SELECT o.seq, o.at, o.body, l.at AS lifted_at, l.body AS lift
FROM control_log o
LEFT JOIN control_log l ON l.subject = o.subject AND l.kind = 'rule.lifted' AND l.tenant = o.tenant
WHERE o.tenant = $1 AND o.kind = 'rule.ordered' AND ($2::bigint IS NULL OR o.seq < $2)
ORDER BY o.seq DESC
LIMIT $3
