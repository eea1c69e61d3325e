-- Lists the last refusals of a source, newest first, among the newest quarantined records of the tenant.
-- $1 tenant  $2 source  $3 rows  $4 records
SELECT id, floor(extract(epoch FROM at) * 1000)::bigint AS at_ms, code, detail, door, caller, topic, partition, record_offset, replayed_at IS NOT NULL AS replayed
FROM (
  SELECT * FROM quarantine
  WHERE coalesce(tenant, '00000000-0000-0000-0000-000000000000') = $1
  ORDER BY id DESC
  LIMIT $4
) q
WHERE source = $2
ORDER BY id DESC
LIMIT $3
