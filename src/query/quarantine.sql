-- What was refused, newest first. $1 tenant  $2 before this id  $3 code  $4 source  $5 rows
SELECT id, source, (extract(epoch FROM at) * 1000)::bigint AS at_ms, code, detail, door, caller, cluster, topic, partition, record_offset,
       size, headers, bytes
FROM quarantine
WHERE tenant = $1 AND id < $2::bigint
  AND ($3::text IS NULL OR code = $3)
  AND ($4::uuid IS NULL OR source = $4)
ORDER BY id DESC
LIMIT $5
