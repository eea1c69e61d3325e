WITH old AS (
  DELETE FROM quarantine WHERE at < now() - make_interval(days => $1)
),
sized AS (
  SELECT id, sum(length(bytes) + length(headers)) OVER (ORDER BY id DESC) AS newer FROM quarantine
),
excess AS (
  DELETE FROM quarantine WHERE id IN (SELECT id FROM sized WHERE newer > $2) RETURNING 1
)
SELECT count(*) AS dropped FROM excess
