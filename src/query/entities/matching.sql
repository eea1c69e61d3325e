-- Finds the entities of a kind that have a text in their name or in one of the directory's, and an owner in the directory or none.
-- $1 tenant  $2 as of  $3 kind  $4 pattern of a name  $5 whether there is an owner
SELECT e.id
FROM entity e
LEFT JOIN directory d ON d.tenant = $1 AND d.kind = e.kind AND d.key = e.key
WHERE e.tenant = $1 AND e.kind = $3::smallint AND e.from_ix < $2::bigint
  AND ($4::text IS NULL OR lower(e.parts ->> -1) LIKE $4 OR lower(d.display_name) LIKE $4 OR lower(d.user_name) LIKE $4
    OR EXISTS (SELECT FROM unnest(d.emails) AS m (email) WHERE m.email LIKE $4))
  AND ($5::boolean IS NULL OR (d.owner IS NOT NULL) = $5)
