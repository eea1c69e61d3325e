-- Reads facts of uses below an index that became known at or above it, as lines of text, a thousand to a row.
-- $1 tenant  $2 the index
SELECT string_agg(l.line, E'\n') AS lines
FROM (
  SELECT a.ix / 1000 AS chunk,
         array_to_string(ARRAY[
           a.ix::text, a.bound_ix::text, a.usr::text, a.client::text, a.agent::text, a.agent_ix::text, a.res::text, a.res_bound::text], '|', '') AS line
  FROM (
    SELECT ix FROM access WHERE tenant = $1::uuid AND bound_ix > ix AND bound_ix >= $2::bigint AND ix < $2
    UNION
    SELECT ix FROM access WHERE tenant = $1 AND agent_ix IS NOT NULL AND agent_ix >= $2 AND ix < $2
  ) c
  JOIN access a ON a.tenant = $1 AND a.ix = c.ix
) l
GROUP BY l.chunk
