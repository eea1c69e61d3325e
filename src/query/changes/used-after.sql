-- Finds uses in each period `s` of a rule that became known since index $8, the newest: those whose own columns say that they may
-- be of the rule's tokens, and those of tokens that the search of `selection` finds, which came from others or are known by a name
-- alone. `rules/` decides which of them the rule stops.
-- $1 tenant  $2 as of  $3 to $6 of the search  $7 periods  $8 since
SELECT s.nth, s.state, s.is_ended, u.*
FROM jsonb_to_recordset($7::jsonb) AS s (nth int, state text, is_ended boolean, known_ix bigint, after bigint, before bigint,
  users int[], clients int[], agents int[], resource int, tokens bytea[], id_jags bytea[], everyone boolean)
CROSS JOIN LATERAL (
{candidates}
) u
WHERE u.cut OR u.groups IS NOT NULL
