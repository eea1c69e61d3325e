-- Finds entities by their directory entry: each word begins a word of the display name, the text begins the user name, or the text is an
-- address; last, the text is part of one of these.
-- $1 tenant  $2 text  $3 pattern of the beginning  $4 words  $5 as of  $6 rows  $7 pattern of a part, or null
SELECT e.id, e.kind, e.parts, e.from_ix, false AS exact
FROM (
  (SELECT kind, key, display_name FROM directory WHERE tenant = $1 AND to_tsvector('simple', display_name) @@ to_tsquery('simple', $4) LIMIT $6)
  UNION
  (SELECT kind, key, display_name FROM directory WHERE tenant = $1 AND lower(user_name) LIKE lower($3) LIMIT $6)
  UNION
  (SELECT kind, key, display_name FROM directory WHERE tenant = $1 AND emails @> ARRAY[lower($2)] LIMIT $6)
  UNION
  (SELECT kind, key, display_name FROM directory
   WHERE tenant = $1 AND $7::text IS NOT NULL
     AND (lower(display_name) LIKE lower($7) OR lower(user_name) LIKE lower($7) OR EXISTS (SELECT FROM unnest(emails) AS m (email) WHERE m.email LIKE lower($7)))
   LIMIT $6)
) d
JOIN entity e ON e.tenant = $1 AND e.kind = d.kind AND e.key = d.key AND e.from_ix < $5::bigint
ORDER BY e.kind, lower(d.display_name), e.id
LIMIT $6
