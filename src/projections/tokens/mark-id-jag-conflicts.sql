UPDATE id_jag t SET conflict_ix = c.ix
FROM (
  SELECT DISTINCT ON (w.tenant, w.key) w.tenant, w.key, w.ix, w.nth
  FROM unnest($1::uuid[], $2::bytea[], $3::bigint[], $4::jsonb[]) WITH ORDINALITY AS w (tenant, key, ix, facts, nth)
  JOIN id_jag o ON o.tenant = w.tenant AND o.key = w.key
  WHERE o.ix <> w.ix AND o.facts <> w.facts AND o.conflict_ix IS NULL
  ORDER BY w.tenant, w.key, w.ix
) c
WHERE t.tenant = c.tenant AND t.key = c.key
RETURNING c.nth, t.tenant, t.key
