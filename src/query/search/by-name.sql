-- Finds entities whose name begins with the text, regardless of case: the first ones of each kind in the order of the
-- index entity_name, in which the whole name comes first.
-- $1 tenant  $2 text  $3 pattern  $4 kinds  $5 as of  $6 rows a kind
SELECT e.id, e.kind, e.parts, e.from_ix, e.exact
FROM unnest($4::smallint[]) WITH ORDINALITY AS k (kind, nth)
CROSS JOIN LATERAL (
  SELECT id, kind, parts, from_ix, lower(parts ->> -1) = lower($2::text) AS exact
  FROM entity
  WHERE tenant = $1 AND kind = k.kind AND kind <> 9 AND lower(parts ->> -1) LIKE lower($3::text) AND from_ix < $5::bigint
  ORDER BY lower(parts ->> -1) USING ~<~
  LIMIT $6
) e
ORDER BY k.nth, lower(e.parts ->> -1) USING ~<~, e.id
