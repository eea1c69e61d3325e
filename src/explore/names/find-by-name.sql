-- Finds entities of a kind by the last part of their name, or by its beginning.
-- $1 tenant  $2 kind  $3 as of  $4 names, $5 the same in lower case  $6 a beginning, $7 the same in lower case as a pattern  $8 rows
SELECT e.id, e.parts ->> -1 AS name
FROM entity e
WHERE e.tenant = $1 AND e.kind = $2::smallint AND e.from_ix < $3::bigint
  AND ($4::text[] IS NULL OR (lower(e.parts ->> -1) = ANY ($5::text[]) AND e.parts ->> -1 = ANY ($4)))
  AND ($6::text IS NULL OR (lower(e.parts ->> -1) LIKE $7::text AND starts_with(e.parts ->> -1, $6)))
LIMIT $8::int
