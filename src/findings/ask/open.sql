-- Lists the worst open findings that name somebody in one column, with the number of all. `candidates`: how many have not ended, of which the first 1,000 are read.
-- $1 tenant  $2 ids or keys  $3 now, epoch seconds  $4 limit  $5 index, of the past alone
{muted}
SELECT f.id, f.kind, f.severity, f.count, f.first_at, f.last_at, f.usr, f.client, f.agent, f.res, f.tok, f.source, f.entries, f.details, f.found_ms, f.closed_ms,
       NULL::jsonb AS facts, s.state, s.said, s.at_ms, w.why, count(*) OVER () AS open, f.candidates
FROM (
  SELECT g.*, count(*) OVER () AS candidates
  FROM {finding} g
  WHERE g.tenant = $1 AND g.closed_ms IS NULL AND g.{column} = ANY ($2)
  ORDER BY g.severity DESC, g.last_at DESC, g.id
  LIMIT 1000
) f
{state}
WHERE s.state = 'open'
ORDER BY f.severity DESC, f.last_at DESC, f.id
LIMIT $4
