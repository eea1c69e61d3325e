INSERT INTO said (tenant, entity, at_ms, ix, name, source, usr, client, agent, res, details)
SELECT tenant, entity, at_ms, ix, name, source, usr, client, agent, ARRAY(SELECT jsonb_array_elements(res)::int), details
FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::bigint[], $5::text[], $6::uuid[], $7::int[], $8::int[], $9::int[], $10::jsonb[], $11::jsonb[])
  AS w (tenant, entity, at_ms, ix, name, source, usr, client, agent, res, details)
