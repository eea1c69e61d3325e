-- Reads what a list shows of entities beside their names: the entry that first named each, and what the directory says.
-- $1 tenant  $2 ids
SELECT e.id, e.from_ix, n.arrival, d.owner, d.team, coalesce(d.tags, '{}') AS tags
FROM entity e
JOIN entry n ON n.tenant = $1 AND n.ix = e.from_ix
LEFT JOIN directory d ON d.tenant = $1 AND d.kind = e.kind AND d.key = e.key
WHERE e.tenant = $1 AND e.id = ANY ($2::int[])
