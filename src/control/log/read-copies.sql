-- Reads records after a seq, in order. The key of a command that applies once comes with the command's first record.
SELECT l.seq, l.tenant, l.kind, l.subject, l.version, l.at, l.body, c.commands
FROM control_log l
LEFT JOIN LATERAL (
  SELECT jsonb_agg(jsonb_build_object(
           'key', encode(k.key, 'hex'),
           'hash', encode(k.hash, 'hex'),
           'last_seq', k.last_seq::text,
           'kept_until', floor(extract(epoch FROM k.kept_until) * 1000)) ORDER BY k.key) AS commands
  FROM control_command k
  WHERE k.first_seq = l.seq
) c ON true
WHERE l.seq > $1
ORDER BY l.seq
LIMIT $2
