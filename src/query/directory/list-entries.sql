-- Reads a page of the directory, ordered by kind and key.
-- $1 tenant  $2 after this kind, $3 and key  $4 kind  $5 rows
SELECT d.*, e.id AS entity
FROM directory d
LEFT JOIN entity e ON e.tenant = d.tenant AND e.kind = d.kind AND e.key = d.key
WHERE d.tenant = $1 AND (d.kind, d.key) > ($2::smallint, $3::bytea) AND ($4::smallint IS NULL OR d.kind = $4)
ORDER BY d.kind, d.key
LIMIT $5
