INSERT INTO connection_version (tenant, id, from_ix, to_ix, state, at, parts, idp_client, client, res, agent, scopes)
SELECT tenant, id, from_ix, to_ix, state, at, parts, idp_client, client, res, agent, ARRAY(SELECT jsonb_array_elements_text(scopes))
FROM unnest(
  $1::uuid[], $2::bytea[], $3::bigint[], $4::bigint[], $5::smallint[], $6::bigint[], $7::jsonb[], $8::int[], $9::int[],
  $10::int[], $11::int[], $12::jsonb[])
  AS w (tenant, id, from_ix, to_ix, state, at, parts, idp_client, client, res, agent, scopes)
