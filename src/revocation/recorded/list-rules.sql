SELECT o.seq, o.at, o.body, l.at AS lifted_at, l.body AS lift, l.seq AS lift_seq, k.subject AS kept_by
FROM control_log o
LEFT JOIN control_log l ON l.subject = o.subject AND l.kind = 'rule.lifted' AND l.tenant = o.tenant
-- The revoke that a lift orders is the record before the lift.
LEFT JOIN control_log k ON k.seq = l.seq - 1 AND k.tenant = o.tenant AND k.kind = 'rule.ordered' AND k.body ->> 'after_lift_of' = o.subject
WHERE o.tenant = $1 AND o.kind = 'rule.ordered' AND ($2::bigint IS NULL OR o.seq < $2)
ORDER BY o.seq DESC
LIMIT $3
