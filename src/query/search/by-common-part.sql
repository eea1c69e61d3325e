-- Finds entities that have the text within their name, regardless of case, among the first names of each kind. A part that very many names
-- have is found here at once, where its entries in entity_parts are too many to read.
-- $1 tenant  $2 pattern  $3 kinds  $4 as of  $5 rows a kind  $6 names that are looked at
SELECT e.id, e.kind, e.parts, e.from_ix, false AS exact
FROM unnest($3::smallint[]) WITH ORDINALITY AS k (kind, nth)
CROSS JOIN LATERAL (
  SELECT f.*
  FROM (
    SELECT id, kind, parts, from_ix FROM entity
    WHERE tenant = $1 AND kind = k.kind AND kind <> 9 AND from_ix < $4::bigint
    ORDER BY lower(parts ->> -1) USING ~<~
    LIMIT $6
  ) f
  WHERE lower(f.parts ->> -1) LIKE lower($2::text)
  LIMIT $5
) e
ORDER BY k.nth, lower(e.parts ->> -1) USING ~<~, e.id
