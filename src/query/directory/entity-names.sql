-- Reads entities with their directory entries.
-- $1 tenant  $2 ids  $3 as of
SELECT e.id, e.kind, e.parts, e.from_ix, d.key IS NOT NULL AS listed,
       d.display_name, d.user_name, d.emails, d.active, d.owner, d.team, d.tags, d.updated_at, d.updated_by
FROM entity e
LEFT JOIN directory d ON d.tenant = $1 AND d.kind = e.kind AND d.key = e.key
WHERE e.tenant = $1 AND e.id = ANY ($2::int[]) AND e.from_ix < $3::bigint
