-- Finds users whose directory entry has one of these addresses.
-- $1 tenant  $2 addresses  $3 as of  $4 ids that are known already  $5 rows
SELECT e.id
FROM directory d
JOIN entity e ON e.tenant = $1 AND e.kind = d.kind AND e.key = d.key AND e.from_ix < $3::bigint
WHERE d.tenant = $1 AND d.kind = 1 AND d.emails && $2::text[] AND e.id <> ALL ($4::int[])
ORDER BY e.id
LIMIT $5
