-- Skips rows that another transaction is trimming, so that two processes never wait for each other. Each tenant has a bound of its own,
-- and so have the records of unknown sources, whose tenant is null.
WITH old AS (
  DELETE FROM quarantine WHERE id IN (SELECT id FROM quarantine WHERE at < now() - $1::interval FOR UPDATE SKIP LOCKED)
),
sized AS (
  SELECT id, sum(octet_length(bytes) + octet_length(headers) + coalesce(octet_length(record_headers), 0)) OVER (PARTITION BY tenant ORDER BY id DESC) AS newer
  FROM quarantine WHERE at >= now() - $1::interval
),
excess AS (
  DELETE FROM quarantine WHERE id IN (
    SELECT q.id FROM quarantine q JOIN sized s USING (id) WHERE s.newer > $2 FOR UPDATE OF q SKIP LOCKED
  ) RETURNING 1
)
SELECT count(*) AS dropped FROM excess
