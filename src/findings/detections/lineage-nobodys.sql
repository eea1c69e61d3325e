-- Finds the uses that were nobody's $5 milliseconds after they came, among those that came so long before the step's end. Whose they are is not said,
-- although it may be known by then.
-- $1 tenant  $2, $3 indexes of those uses: from, to  $4 end of the step  $5 milliseconds
SELECT concat_ws(' ', 'nobody', a.source, a.at / 86400) AS subject, NULL::int AS usr, NULL::int AS client, NULL::int AS agent,
       min(CASE WHEN a.res_bound THEN NULL ELSE a.res END) AS res, NULL AS tok, a.source, sum(a.n) AS count, min(a.at) AS first_at, max(a.until_at) AS last_at,
       (array_agg(a.ix ORDER BY a.ix))[1:20] AS entries, jsonb_build_object('how', 'nobody', 'hours', $5::bigint / 3600000) AS details
FROM access a
JOIN entry i ON i.tenant = $1 AND i.ix = a.ix
WHERE a.tenant = $1 AND a.ix >= $2::bigint AND a.ix < $3::bigint
  -- Most uses came after their token: nothing is looked up for those.
  AND a.bound_ix IS DISTINCT FROM a.ix AND a.foreign_ix IS DISTINCT FROM a.ix
  AND NOT EXISTS (SELECT FROM entry b WHERE b.tenant = $1 AND b.ix IN (a.bound_ix, a.foreign_ix) AND b.ix < $4::bigint AND b.arrival < i.arrival + $5::bigint)
GROUP BY a.source, a.at / 86400
