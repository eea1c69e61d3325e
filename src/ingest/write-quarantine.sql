INSERT INTO quarantine (tenant, source, code, detail, door, caller, cluster, topic, partition, record_offset, mode, size, headers, bytes,
                        whole, record_headers, digest)
SELECT * FROM unnest(
  $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int[], $10::bigint[], $11::text[],
  $12::int[], $13::text[], $14::bytea[], $15::boolean[], $16::text[], $17::bytea[])
ON CONFLICT DO NOTHING
