-- The first entries that name entities, and further entries, with their arrivals.  $1 tenant  $2 entities  $3 indexes
SELECT e.id, e.from_ix AS ix, n.arrival
FROM entity e JOIN entry n ON n.tenant = $1 AND n.ix = e.from_ix
WHERE e.tenant = $1 AND e.id = ANY ($2::int[])
UNION ALL
SELECT NULL, ix, arrival FROM entry WHERE tenant = $1 AND ix = ANY ($3::bigint[])
