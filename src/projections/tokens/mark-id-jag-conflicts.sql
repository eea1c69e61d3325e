UPDATE id_jag t SET conflict_ix = c.ix
FROM (
  SELECT w.tenant, w.key, min(w.ix) AS ix
  FROM unnest($1::uuid[], $2::bytea[], $3::bigint[], $4::jsonb[]) AS w (tenant, key, ix, facts)
  JOIN id_jag o ON o.tenant = w.tenant AND o.key = w.key
  WHERE o.ix <> w.ix AND o.facts <> w.facts AND o.conflict_ix IS NULL
  GROUP BY w.tenant, w.key
) c
WHERE t.tenant = c.tenant AND t.key = c.key
RETURNING t.tenant, t.key
