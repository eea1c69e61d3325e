-- Records that may be replayed, oldest first, up to $8 records and $9 bytes, but at least one. $1: tenant; null for the operator's part.
SELECT id, door, caller, topic, mode, bytes, whole, record_headers, code
FROM (
  SELECT *, sum(octet_length(bytes)) OVER (ORDER BY id) - octet_length(bytes) AS before
  FROM (
    SELECT * FROM quarantine
    WHERE coalesce(tenant, '00000000-0000-0000-0000-000000000000') = coalesce($1::uuid, '00000000-0000-0000-0000-000000000000') AND id > $2::bigint AND whole
      AND ($3::bigint IS NULL OR id = $3)
      AND ($4::uuid IS NULL OR source = $4)
      AND ($5::text IS NULL OR code = $5)
      AND ($6::bigint IS NULL OR at >= to_timestamp($6)) AND ($7::bigint IS NULL OR at < to_timestamp($7))
    ORDER BY id LIMIT $8
  ) matching
) bounded
WHERE before < $9
ORDER BY id
