-- Inserts copied records unchanged behind the log's head, which the caller has locked. Folding depends on their seq and time.
WITH copy AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb)
    AS c(seq bigint, tenant uuid, kind text, subject text, version int, at double precision, body jsonb, commands jsonb)
), record AS (
  INSERT INTO control_log (seq, tenant, kind, subject, version, at, body)
  SELECT seq, tenant, kind, subject, version, to_timestamp(at / 1000), body FROM copy ORDER BY seq
), command AS (
  INSERT INTO control_command (key, hash, first_seq, last_seq, kept_until)
  SELECT decode(k.key, 'hex'), decode(k.hash, 'hex'), copy.seq, k.last_seq, to_timestamp(k.kept_until / 1000)
  FROM copy, jsonb_to_recordset(copy.commands) AS k(key text, hash text, last_seq bigint, kept_until double precision)
  ON CONFLICT (key) DO NOTHING
)
SELECT count(*) FROM copy
