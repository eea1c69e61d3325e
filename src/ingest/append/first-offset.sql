-- Stores a partition's first batch; the table has no row of the partition yet.
INSERT INTO kafka_offset (cluster, topic, partition, next_offset, last_offset, last_sha256)
SELECT $1, $2, $3, $5::bigint, $6::bigint, $7
WHERE NOT EXISTS (SELECT FROM kafka_offset WHERE cluster = $1 AND topic = $2 AND partition = $3) AND $4::bigint IS NOT NULL
ON CONFLICT DO NOTHING
