UPDATE connection_version c SET to_ix = w.to_ix
FROM unnest($1::uuid[], $2::bytea[], $3::bigint[], $4::bigint[]) AS w (tenant, id, from_ix, to_ix)
WHERE c.tenant = w.tenant AND c.id = w.id AND c.from_ix = w.from_ix
