-- Lists when each name of an entity was first seen, newest first.
-- $1 tenant  $2 as of  $3 ids  $4 from and $5 to, epoch milliseconds, both included  $6 rows
SELECT n.id, n.from_ix AS ix, e.arrival AS at_ms
FROM entity n
JOIN entry e ON e.tenant = $1 AND e.ix = n.from_ix
WHERE n.tenant = $1 AND n.id = ANY ($3::int[]) AND n.from_ix < $2::bigint AND e.arrival BETWEEN $4::bigint AND $5::bigint
ORDER BY e.arrival DESC, n.from_ix DESC, n.id
LIMIT $6
