-- Where to look for tokens of a selector that nothing narrower finds them by: clients that have any.
-- $1 tenant  $2 clients that the selector names, or null  $3 its resource, and $4 its id where it has one, or null  $5 how many at most
SELECT c.id FROM (
  SELECT e.id FROM entity e WHERE $2::int[] IS NULL AND $3::text IS NULL AND e.tenant = $1 AND e.kind = 2
  UNION
  SELECT d.id FROM unnest($2) d (id)
  WHERE $3 IS NULL OR EXISTS (SELECT FROM edge_seen s WHERE s.tenant = $1 AND s.res = $4::int AND s.client = d.id)
    OR EXISTS (SELECT FROM entity e WHERE e.tenant = $1 AND e.id = d.id AND e.parts ->> 0 = $3)
  UNION
  SELECT s.client FROM edge_seen s WHERE $2 IS NULL AND s.tenant = $1 AND s.res = $4
  UNION
  -- Whatever a RAS issued for an ID-JAG is for the RAS itself, too.
  SELECT e.id FROM entity e WHERE $2 IS NULL AND e.tenant = $1 AND e.kind = 2 AND e.parts ->> 0 = $3
) c
WHERE EXISTS (SELECT FROM token t WHERE t.tenant = $1 AND t.client = c.id LIMIT 1)
LIMIT $5
