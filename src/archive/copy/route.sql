-- Reads the routes that entries of a range are the first to name.
-- $1 tenant  $2 first index  $3 the index after the last
SELECT e.id, e.from_ix, e.parts ->> -1 AS name
FROM entity e
WHERE e.tenant = $1::uuid AND e.from_ix >= $2::bigint AND e.from_ix < $3::bigint AND e.kind = 7
