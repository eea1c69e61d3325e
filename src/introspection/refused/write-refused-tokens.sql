INSERT INTO refused_token AS r (tenant, source, reason, member, slot, token, count, first_ms, last_ms)
SELECT tenant, source, reason, member, slot, (array_agg(token ORDER BY last_ms DESC))[1], sum(count), min(first_ms), max(last_ms)
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::smallint[], $6::bytea[], $7::bigint[], $8::bigint[], $9::bigint[])
  AS w (tenant, source, reason, member, slot, token, count, first_ms, last_ms)
GROUP BY tenant, source, reason, member, slot
-- Several nodes write: in one order, so that none waits for another that waits for it.
ORDER BY tenant, source, reason, member, slot
ON CONFLICT (tenant, source, reason, member, slot) DO UPDATE
SET token = excluded.token, count = r.count + excluded.count, last_ms = greatest(r.last_ms, excluded.last_ms)
