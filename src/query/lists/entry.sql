-- Reads one entry. Its payload is null if it was erased.
-- $1 tenant  $2 index
SELECT e.ix, e.arrival, e.type, e.source, e.commitment, e.leaf_hash, p.mode, p.salt, p.attributes, p.bytes
FROM entry e
LEFT JOIN payload p ON p.tenant = $1 AND p.ix = e.ix
WHERE e.tenant = $1 AND e.ix = $2
