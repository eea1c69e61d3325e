-- What is asked for, first, and other names of a user or client that an event states together with this one. A RAS's name is covered where no
-- other name of an IdP is tied to it: two people may share an account there. From a RAS's name nothing is concluded about the IdP's.
-- What stands in braces is how it was named, one of a closed list in start.pg.ts.
-- $1 tenant  $2 key or id  $3 as of  $4 other names at most  $5 kind
WITH own AS MATERIALIZED (SELECT e.id, e.parts FROM entity e WHERE e.tenant = $1 AND e.kind = $5::smallint AND {named} AND e.from_ix < $3::bigint)
SELECT 0 AS nth, id, parts, true AS covered FROM own
UNION ALL
(
  SELECT 1, e.id, e.parts, n.covered
  FROM own
  CROSS JOIN LATERAL (
    SELECT a.local AS id, NOT EXISTS (SELECT FROM alias o WHERE o.tenant = $1 AND o.local = a.local AND o.idp <> own.id AND o.from_ix < $3 OFFSET 0) AS covered
    FROM alias a WHERE a.tenant = $1 AND a.idp = own.id AND a.from_ix < $3
    UNION
    SELECT a.idp, false FROM alias a WHERE a.tenant = $1 AND a.local = own.id AND a.from_ix < $3
  ) n
  CROSS JOIN LATERAL (SELECT * FROM entity e WHERE e.tenant = $1 AND e.id = n.id AND e.kind = $5 LIMIT 1) e
  WHERE n.id <> own.id
  ORDER BY e.id LIMIT $4
)
ORDER BY nth, id
