UPDATE principal_version p SET to_ix = w.to_ix
FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::bigint[]) AS w (tenant, entity, from_ix, to_ix)
WHERE p.tenant = w.tenant AND p.entity = w.entity AND p.from_ix = w.from_ix
