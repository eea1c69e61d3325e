-- Writes evidence: a finding of a new subject, or more of one that there is. A finding that had closed itself is open again. `whole` in the details marks
-- a condition, which is counted anew each time. The id is made of the subject, so that a finding that is found anew after a restore has the same.
-- A condition has new evidence when it counts more than before.
-- $1 tenant  $2 evidence, once a subject  $3 now, epoch milliseconds  $4 last index of the step
INSERT INTO finding AS f (tenant, id, kind, subject, severity, count, first_at, last_at, usr, client, agent, res, tok, source, entries, details, found_ms, grown_ms, grown_ix, opened_ix)
SELECT $1::uuid, substr(encode(sha256(convert_to(concat_ws(' ', $1::uuid::text, e.kind, e.subject), 'UTF8')), 'hex'), 1, 32)::uuid, e.kind, e.subject, e.severity, e.count, e.first_at, e.last_at, e.usr, e.client, e.agent, e.res, decode(e.tok, 'hex'), e.source,
       ARRAY(SELECT DISTINCT x FROM unnest(e.entries) AS x ORDER BY x LIMIT 20), e.details, $3, $3, $4, $4
FROM jsonb_to_recordset($2::jsonb) AS e (kind text, subject text, severity smallint, count bigint, first_at bigint, last_at bigint, usr int, client int,
  agent int, res int, tok text, source uuid, entries bigint[], details jsonb)
ORDER BY e.kind, e.subject
ON CONFLICT (tenant, kind, subject) DO UPDATE SET
  count = CASE WHEN (excluded.details ->> 'whole')::boolean THEN excluded.count ELSE f.count + excluded.count END,
  first_at = least(f.first_at, excluded.first_at), last_at = greatest(f.last_at, excluded.last_at),
  usr = coalesce(f.usr, excluded.usr), client = coalesce(f.client, excluded.client), agent = coalesce(f.agent, excluded.agent),
  res = coalesce(f.res, excluded.res), tok = coalesce(f.tok, excluded.tok), source = coalesce(f.source, excluded.source),
  entries = ARRAY(SELECT DISTINCT x FROM unnest(f.entries || excluded.entries) AS x ORDER BY x LIMIT 20),
  details = f.details || excluded.details, grown_ms = CASE WHEN f.closed_ms IS NULL AND (excluded.details ->> 'whole')::boolean AND excluded.count <= f.count THEN f.grown_ms ELSE excluded.grown_ms END,
  grown_ix = CASE WHEN f.closed_ms IS NULL AND (excluded.details ->> 'whole')::boolean AND excluded.count <= f.count THEN f.grown_ix ELSE excluded.grown_ix END,
  opened_ix = CASE WHEN f.closed_ms IS NULL THEN f.opened_ix ELSE excluded.opened_ix END,
  closed_ms = NULL
RETURNING f.id
