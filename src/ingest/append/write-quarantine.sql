-- $1: what records have in common, a JSON array. $2: the digest, headers, bytes and record headers of each record, one after the other.
-- $6, $7, $8: the lengths of the last three; $8 is null for a record without record headers.
WITH numbered AS (
  SELECT *, 1 + coalesce(sum(32 + n_headers + n_bytes + coalesce(n_record, 0)) OVER (ORDER BY nth ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::int AS at
  FROM unnest($3::int[], $4::bigint[], $5::int[], $6::int[], $7::int[], $8::int[]) WITH ORDINALITY
    AS r (reason, record_offset, size, n_headers, n_bytes, n_record, nth)
)
INSERT INTO quarantine (tenant, source, code, detail, door, caller, cluster, topic, partition, record_offset, mode, size, digest, headers, bytes,
                        whole, record_headers)
SELECT w.tenant, w.source, w.code, w.detail, w.door, w.caller, w.cluster, w.topic, w.partition, n.record_offset, w.mode, n.size,
       substring($2::bytea FROM n.at FOR 32),
       convert_from(substring($2 FROM n.at + 32 FOR n.n_headers), 'UTF8'),
       substring($2 FROM n.at + 32 + n.n_headers FOR n.n_bytes),
       n.n_record IS NOT NULL,
       convert_from(substring($2 FROM n.at + 32 + n.n_headers + n.n_bytes FOR n.n_record), 'UTF8')
FROM numbered n
JOIN (
  SELECT nth - 1 AS reason, (jsonb_populate_record(NULL::quarantine, reason)).*
  FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS e (reason, nth)
) w USING (reason)
ORDER BY n.nth
ON CONFLICT DO NOTHING
