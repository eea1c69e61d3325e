-- Keeps findings as a step has left them. A finding that the step has not changed gets no row, nor a condition that only lasts on, whose last time alone moves.
-- $1 tenant  $2 ids of findings  $3 first index of the step  $4 index behind its last one  $5 day of arrival
INSERT INTO finding_past (tenant, finding, from_ix, to_ix, day, severity, count, first_at, last_at, usr, client, agent, res, tok, source, entries, details, closed_ms, grown_ix, opened_ix)
SELECT $1, f.id, $3, $4, $5, f.severity, f.count, f.first_at, f.last_at, f.usr, f.client, f.agent, f.res, f.tok, f.source, f.entries, f.details, f.closed_ms, f.grown_ix, f.opened_ix
FROM finding f
LEFT JOIN LATERAL (
  SELECT * FROM finding_past n WHERE n.tenant = $1 AND n.finding = f.id ORDER BY n.to_ix DESC LIMIT 1
) p ON true
WHERE f.tenant = $1 AND f.id = ANY ($2::uuid[])
  AND (p.last_at <> f.last_at AND f.details ->> 'whole' IS NULL
    OR ROW (p.severity, p.count, p.first_at, p.usr, p.client, p.agent, p.res, p.tok, p.source, p.entries, p.details, p.closed_ms, p.grown_ix, p.opened_ix)
      IS DISTINCT FROM ROW (f.severity, f.count, f.first_at, f.usr, f.client, f.agent, f.res, f.tok, f.source, f.entries, f.details, f.closed_ms, f.grown_ix, f.opened_ix))
