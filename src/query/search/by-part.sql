-- Finds entities that have the text within their name, regardless of case, by the index entity_parts: the first ones of each kind by name.
-- If more names have the part than are looked at, some of them are found.
-- $1 tenant  $2 text, at least three characters  $3 pattern  $4 kinds  $5 as of  $6 rows a kind  $7 names that are looked at
SELECT e.id, e.kind, e.parts, e.from_ix, false AS exact
FROM unnest($4::smallint[]) WITH ORDINALITY AS k (kind, nth)
CROSS JOIN LATERAL (
  SELECT n.*
  FROM (
    SELECT id, kind, parts, from_ix FROM entity
    WHERE tenant = $1 AND name_parts(tenant, kind, parts ->> -1) @> name_parts($1, k.kind, $2::text) AND kind <> 9 AND kind = k.kind
      AND lower(parts ->> -1) LIKE lower($3::text) AND from_ix < $5::bigint
    LIMIT $7
  ) n
  ORDER BY lower(n.parts ->> -1) USING ~<~, n.id
  LIMIT $6
) e
ORDER BY k.nth, lower(e.parts ->> -1) USING ~<~, e.id
