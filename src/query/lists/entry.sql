-- Reads one entry, and whether the tree and a published checkpoint cover it. Its payload is null if it was erased.
-- $1 tenant  $2 index
SELECT e.ix, e.arrival, e.type, e.source, e.commitment, e.leaf_hash, p.mode, p.salt, p.attributes, p.bytes,
       CASE WHEN e.ix < published.size THEN 'published' WHEN e.ix < grown.size THEN 'integrated' ELSE 'sequenced' END AS state
FROM entry e
LEFT JOIN payload p ON p.tenant = $1 AND p.ix = e.ix
LEFT JOIN tree_head grown ON grown.tenant = $1
LEFT JOIN ledger_checkpoint published ON published.tenant = $1 AND published.incarnation = grown.incarnation
WHERE e.tenant = $1 AND e.ix = $2
