-- Applies an operator's decision, only while the partition is stopped and stands where the operator saw it.
UPDATE kafka_offset SET next_offset = $5, last_offset = $6, last_sha256 = $7, stopped = NULL
WHERE cluster = $1 AND topic = $2 AND partition = $3 AND next_offset = $4 AND stopped IS NOT NULL
