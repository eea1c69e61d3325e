-- Reads the teams of entities in the directory; an entity without one is left out.
-- $1 tenant  $2 ids
SELECT e.id, d.team
FROM entity e
JOIN directory d ON d.tenant = $1 AND d.kind = e.kind AND d.key = e.key
WHERE e.tenant = $1 AND e.id = ANY ($2::int[]) AND d.team IS NOT NULL
