INSERT INTO principal_version (tenant, entity, from_ix, to_ix, state, at_ms)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::bigint[], $5::smallint[], $6::bigint[])
