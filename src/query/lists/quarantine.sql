-- Lists refused records, newest first.
-- $1 tenant  $2 before this id  $3 code  $4 source  $5 rows  $6 true: the operator's records instead  $7 this id
SELECT id, source, (extract(epoch FROM at) * 1000)::bigint AS at_ms, code, detail, door, caller, cluster, topic, partition, record_offset,
       mode, size, headers, substring(bytes FROM 1 FOR 65536) AS bytes, whole, (extract(epoch FROM replayed_at) * 1000)::bigint AS replayed_ms
FROM quarantine
WHERE coalesce(tenant, '00000000-0000-0000-0000-000000000000') = CASE WHEN $6 THEN '00000000-0000-0000-0000-000000000000' ELSE $1::uuid END
  AND id < $2::bigint
  AND ($3::text IS NULL OR code = $3)
  AND ($4::uuid IS NULL OR source = $4)
  AND ($7::bigint IS NULL OR id = $7)
ORDER BY id DESC
LIMIT $5
