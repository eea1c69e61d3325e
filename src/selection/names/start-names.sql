-- Finds the start first, then the other names of a user or client that an event states together with it. A RAS's name
-- is covered if no other IdP name is tied to it: two people may share an account at a RAS. A RAS's name says nothing
-- about the IdP's name. The words in braces are replaced from a closed list in start.pg.ts: how the start was named.
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
