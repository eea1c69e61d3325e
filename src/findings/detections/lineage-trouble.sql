-- Finds tokens and ID-JAGs about which two events contradict each other, and uses whose token became known only after $4 seconds.
-- $1 tenant  $2 from  $3 to  $4 seconds
WITH late AS (
  SELECT a.*, (b.arrival - i.arrival) / 1000 AS waited
  FROM access a
  JOIN entry i ON i.tenant = $1 AND i.ix = a.ix
  JOIN entry b ON b.tenant = $1 AND b.ix = a.bound_ix
  WHERE a.tenant = $1 AND a.bound_ix >= $2::bigint AND a.bound_ix < $3::bigint AND a.bound_ix > a.ix AND a.foreign_ix IS NULL
)
SELECT concat('token ', encode(t.key, 'hex')) AS subject, t.usr, t.client, t.agent, t.res[1] AS res, encode(t.key, 'hex') AS tok, t.source, 1::bigint AS count, i.arrival / 1000 AS first_at,
       i.arrival / 1000 AS last_at, ARRAY[t.ix, t.conflict_ix] AS entries, jsonb_build_object('how', 'contradicted') AS details
FROM token t JOIN entry i ON i.tenant = $1 AND i.ix = t.conflict_ix
WHERE t.tenant = $1 AND t.conflict_ix >= $2::bigint AND t.conflict_ix < $3::bigint
UNION ALL
SELECT concat('id-jag ', encode(j.key, 'hex')), j.usr, j.client, j.agent, NULL, NULL, j.source, 1, i.arrival / 1000, i.arrival / 1000, ARRAY[j.ix, j.conflict_ix],
       jsonb_build_object('how', 'contradicted')
FROM id_jag j JOIN entry i ON i.tenant = $1 AND i.ix = j.conflict_ix
WHERE j.tenant = $1 AND j.conflict_ix >= $2::bigint AND j.conflict_ix < $3::bigint
UNION ALL
SELECT concat_ws(' ', 'late', source, at / 86400), min(usr), min(client), min(agent), min(res), NULL, source, sum(n), min(at), max(until_at), (array_agg(ix ORDER BY at, ix))[1:20],
       jsonb_build_object('how', 'late', 'minutes', max(waited) / 60)
FROM late
WHERE waited > $4::bigint
GROUP BY source, at / 86400
