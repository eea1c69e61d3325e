INSERT INTO quarantine (tenant, source, code, detail, door, caller, cluster, topic, partition, record_offset, size, headers, bytes)
SELECT * FROM unnest(
  $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int[], $10::bigint[],
  $11::int[], $12::text[], $13::bytea[])
ON CONFLICT DO NOTHING
