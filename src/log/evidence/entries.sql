-- Reads entries by their indexes, in the order of the ledger, each with its payload unless it was erased.
-- $1 tenant  $2 indexes
SELECT e.ix, e.arrival, e.type, e.source, e.commitment, p.mode, p.salt, p.attributes, p.bytes
FROM unnest($2::bigint[]) AS asked (ix)
JOIN entry e ON e.tenant = $1 AND e.ix = asked.ix
LEFT JOIN payload p ON p.tenant = $1 AND p.ix = e.ix
ORDER BY e.ix
