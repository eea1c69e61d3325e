-- Reads a value of the directory by entity: of its own entry, else of its one IdP name.
-- $1 tenant  $2 as of  $3 kinds  $4 rows
WITH stated AS MATERIALIZED (
  SELECT e.id, {value} AS value
  FROM directory d
  JOIN entity e ON e.tenant = $1 AND e.kind = d.kind AND e.key = d.key AND e.from_ix < $2::bigint
  WHERE d.tenant = $1 AND d.kind = ANY ($3::smallint[])
)
SELECT id, value FROM stated WHERE value IS NOT NULL
UNION ALL
SELECT a.local, min(s.value)
FROM alias a
JOIN stated s ON s.id = a.idp
WHERE a.tenant = $1 AND a.from_ix < $2 AND NOT EXISTS (SELECT FROM stated o WHERE o.id = a.local AND o.value IS NOT NULL)
GROUP BY a.local
HAVING (SELECT count(*) FROM alias o WHERE o.tenant = $1 AND o.local = a.local AND o.from_ix < $2) = 1 AND min(s.value) IS NOT NULL
LIMIT $4::int
