-- Advances the outbox and reads the control records that it passes, never beyond those this process has folded.
-- SKIP LOCKED: one process at a time.
WITH outbox AS MATERIALIZED (
  SELECT seq FROM control_outbox FOR UPDATE SKIP LOCKED
),
due AS MATERIALIZED (
  SELECT c.* FROM control_log c, outbox o WHERE c.seq > o.seq AND c.seq <= $2 ORDER BY c.seq LIMIT $1
),
moved AS (
  UPDATE control_outbox SET seq = (SELECT max(seq) FROM due) WHERE EXISTS (SELECT FROM due)
)
SELECT seq, tenant, kind, subject, version, at, body FROM due ORDER BY seq
