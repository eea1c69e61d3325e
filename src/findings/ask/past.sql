-- The findings as they were at the index {index}, as far as the detections had read; stands for the table `finding`. {at} is the moment, epoch seconds. A condition
-- that lasted then is kept when it changes alone: it lasted on to the moment, or to where it is known next.
(SELECT g.tenant, g.id, g.kind, g.found_ms, p.first_at, p.severity, p.count, p.usr, p.client, p.agent, p.res, p.tok, p.source, p.entries, p.details, p.closed_ms, p.grown_ix, p.opened_ix,
        CASE WHEN p.details ->> 'whole' IS NOT NULL AND p.closed_ms IS NULL THEN greatest(p.last_at, least({at}, n.last_at, g.last_at)) ELSE p.last_at END AS last_at
 FROM finding g
 CROSS JOIN LATERAL (
   SELECT * FROM finding_past q WHERE q.tenant = $1 AND q.finding = g.id AND q.to_ix <= {index} ORDER BY q.to_ix DESC LIMIT 1
 ) p
 LEFT JOIN LATERAL (
   SELECT q.last_at FROM finding_past q WHERE q.tenant = $1 AND q.finding = g.id AND q.to_ix > {index} ORDER BY q.to_ix LIMIT 1
 ) n ON p.details ->> 'whole' IS NOT NULL
 WHERE g.tenant = $1{only})
