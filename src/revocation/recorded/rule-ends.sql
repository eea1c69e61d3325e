-- Reads the enabling events that have turned blocks into revokes.
-- $1 tenant  $2 rules
SELECT DISTINCT ON (r.rule) r.rule, e.source, e.event_id, e.ix AS entry, e.at_ms, {turned_ms} AS before_ms
FROM rule_version r
{turned}
WHERE r.tenant = $1 AND r.rule = ANY ($2::text[]) AND e.ix IS NOT NULL
ORDER BY r.rule, e.ix
