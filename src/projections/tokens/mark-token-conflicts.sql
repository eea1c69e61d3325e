UPDATE token t SET conflict_ix = c.ix
FROM (
  SELECT DISTINCT ON (w.tenant, w.key) w.tenant, w.key, w.ix, w.nth
  FROM unnest($1::uuid[], $2::bytea[], $3::bigint[], $4::jsonb[]) WITH ORDINALITY AS w (tenant, key, ix, facts, nth)
  JOIN token o ON o.tenant = w.tenant AND o.key = w.key
  WHERE o.ix <> w.ix AND o.facts <> w.facts AND o.conflict_ix IS NULL
    -- A token known by a digest belongs to the issuer that recorded it first: another issuer's event does not contradict it.
    AND (o.facts ? 'jti' OR o.facts ->> 'iss' = w.facts ->> 'iss')
  ORDER BY w.tenant, w.key, w.ix
) c
WHERE t.tenant = c.tenant AND t.key = c.key
RETURNING c.nth, t.tenant, t.key
