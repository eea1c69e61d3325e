-- Reads when grants were last used (allowed), by the single uses that the closed blocks do not contain, as of an index. OFFSET makes the planner
-- find them by their indexes.
-- $1 tenant  $2 as of  $3 first index after the closed blocks
SELECT usr, client, res, max(until_at)::float8 AS last
FROM (
  (SELECT usr, client, res, until_at FROM access
   WHERE tenant = $1 AND ix >= $3::bigint AND ix < $2::bigint AND bound_ix < $2 AND outcome = 1 OFFSET 0)
  UNION ALL
  (SELECT usr, client, res, until_at FROM access
   WHERE tenant = $1 AND bound_ix > ix AND bound_ix >= $3 AND bound_ix < $2 AND ix < $3 AND outcome = 1 OFFSET 0)
) a
WHERE usr IS NOT NULL AND res IS NOT NULL
GROUP BY usr, client, res
