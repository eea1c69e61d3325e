-- Finds the rules that are in force by the entries below an index, newest first, one row for each selector of a rule. A newer enabling of
-- the same source turns a block of an event into a revoke: as of the event if the enabling arrived first, else as of the enabling. A turned
-- block cannot be lifted.
-- $1 tenant  $2 as of  $3 now, epoch seconds  $4 leads  $5 keys, one of which the selector must have  $6 rule (null: not filtered)  $7 rows
SELECT r.rule, r.from_ix, r.arrival_ms, r.seq, r.ordered_ms, r.effect, r.selector, r.before_at, r.until_at, r.resume, r.reauthenticate,
       r.reason, r.author, r.cause, r.after_lift_of, CASE WHEN r.lifted_ix < $2 THEN r.lifted_ix END AS lifted_ix, CASE WHEN r.lifted_ix < $2 THEN r.lift END AS lift,
       o.at_ms AS event_ms, e.ix AS turned_ix, {turned_ms} AS turned_ms
FROM rule_version r
{turned}
WHERE r.tenant = $1 AND r.from_ix < $2::bigint
  AND ($6::text IS NOT NULL OR r.lifted_ix IS NULL OR r.lifted_ix >= $2 OR e.ix < r.lifted_ix)
  AND ($6::text IS NOT NULL OR e.ix IS NOT NULL OR NOT r.resume OR r.until_at IS NULL OR r.until_at > $3::bigint)
  AND ($4::bytea[] IS NULL OR r.lead = ANY ($4))
  AND ($5::bytea[] IS NULL OR r.keys && $5)
  AND ($6::text IS NULL OR r.rule = $6)
ORDER BY r.from_ix DESC, r.rule, r.nth
LIMIT $7
