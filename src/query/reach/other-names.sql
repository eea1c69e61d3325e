-- Other names of a user or client that an event states together with this one. A RAS's name is covered where no other name of an IdP is
-- tied to it: two people may share an account there. From a RAS's name nothing is concluded about the IdP's.
-- $1 tenant  $2 id  $3 as of  $4 at most  $5 kind
SELECT e.id, e.parts, n.covered
FROM (
  SELECT a.local AS id, NOT EXISTS (SELECT FROM alias o WHERE o.tenant = $1 AND o.local = a.local AND o.idp <> $2 AND o.from_ix < $3) AS covered
  FROM alias a WHERE a.tenant = $1 AND a.idp = $2 AND a.from_ix < $3::bigint
  UNION
  SELECT a.idp, false FROM alias a WHERE a.tenant = $1 AND a.local = $2 AND a.from_ix < $3
) n
JOIN entity e ON e.tenant = $1 AND e.id = n.id AND e.kind = $5::smallint
WHERE n.id <> $2::int
ORDER BY n.id LIMIT $4
