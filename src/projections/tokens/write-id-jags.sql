INSERT INTO id_jag (tenant, key, sha_key, ix, seen_seq, source, facts, usr, client, idp_client, agent, session_key, parent_key)
SELECT * FROM unnest(
  $1::uuid[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::uuid[], $7::jsonb[],
  $8::int[], $9::int[], $10::int[], $11::int[], $12::bytea[], $13::bytea[])
ON CONFLICT DO NOTHING
