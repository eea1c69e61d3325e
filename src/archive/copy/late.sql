-- Reads earlier uses of which a fact became known within a range, as of the range's end.
-- $1 tenant  $2 first index  $3 the index after the last
WITH changed AS MATERIALIZED (
  SELECT ix FROM access WHERE tenant = $1::uuid AND bound_ix > ix AND bound_ix >= $2::bigint AND bound_ix < $3::bigint AND ix < $2
  UNION
  SELECT ix FROM access WHERE tenant = $1 AND agent_ix IS NOT NULL AND agent_ix >= $2 AND agent_ix < $3 AND ix < $2
  UNION
  SELECT ix FROM access WHERE tenant = $1 AND foreign_ix > ix AND foreign_ix >= $2 AND foreign_ix < $3 AND ix < $2
)
SELECT a.ix,
       CASE WHEN a.bound_ix < $3 THEN a.bound_ix END AS bound_ix,
       CASE WHEN a.bound_ix < $3 THEN a.usr END AS usr,
       CASE WHEN a.bound_ix < $3 THEN a.client END AS client,
       CASE WHEN coalesce(a.agent_ix, a.bound_ix) < $3 THEN a.agent END AS agent,
       CASE WHEN a.agent_ix < $3 THEN a.agent_ix END AS agent_ix,
       CASE WHEN a.res_bound IS NULL OR a.bound_ix < $3 THEN a.res END AS res,
       CASE WHEN a.bound_ix < $3 THEN a.res_bound END AS res_bound,
       CASE WHEN a.foreign_ix < $3 THEN a.foreign_ix END AS foreign_ix
FROM changed c
JOIN access a ON a.tenant = $1 AND a.ix = c.ix
