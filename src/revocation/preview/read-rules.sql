-- Reads rules as they were ordered. $1 tenant  $2 ids
SELECT o.seq, o.at, o.body
FROM control_log o
WHERE o.tenant = $1 AND o.kind = 'rule.ordered' AND o.subject = ANY ($2::text[])
