-- A replayed record that is refused again stays, with its new reason. Its tenant and source change only if they are known by now.
UPDATE quarantine q SET tenant = coalesce(r.tenant, q.tenant), source = coalesce(r.source, q.source), code = r.code, detail = r.detail,
                        replayed_at = clock_timestamp()
FROM unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::text[], $5::text[]) AS r (id, tenant, source, code, detail)
WHERE q.id = r.id
