-- Inserts the first row of a partition without one. A row that has moved meanwhile is left alone.
INSERT INTO kafka_offset (cluster, topic, partition, next_offset, stopped) VALUES ($1, $2, $3, $5, $4)
ON CONFLICT (cluster, topic, partition) DO UPDATE SET stopped = excluded.stopped WHERE kafka_offset.next_offset = excluded.next_offset
