INSERT INTO rule_event (tenant, ix, keys, source, event_id, at_ms, subject, enables)
SELECT tenant, ix, keys::bytea[], source, event_id, at_ms, subject, enables = 1
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[], $5::text[], $6::bigint[], $7::text[], $8::smallint[])
  AS w (tenant, ix, keys, source, event_id, at_ms, subject, enables)
ON CONFLICT DO NOTHING
