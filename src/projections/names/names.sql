-- Reads names of entities and their display names in the directory. An entity has that of its own entry,
-- else that of its one IdP name, if grants state it with exactly one. If the directory is empty, the IdP's names are
-- not looked up.
-- $1 tenant  $2 ids  $3 as of
SELECT e.id, e.kind, e.parts, coalesce(own.display_name, idp.display_name) AS display_name
FROM entity e
LEFT JOIN directory own ON own.tenant = $1 AND own.kind = e.kind AND own.key = e.key
LEFT JOIN LATERAL (
  SELECT min(d.display_name) AS display_name
  FROM alias a
  JOIN entity i ON i.tenant = $1 AND i.id = a.idp
  LEFT JOIN directory d ON d.tenant = $1 AND d.kind = i.kind AND d.key = i.key
  WHERE a.tenant = $1 AND a.local = e.id AND a.from_ix < $3::bigint AND e.kind IN (1, 2) AND (SELECT EXISTS (SELECT FROM directory WHERE tenant = $1))
  HAVING count(*) = 1
) idp ON own.display_name IS NULL
WHERE e.tenant = $1 AND e.id = ANY ($2::int[])
