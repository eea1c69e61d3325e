-- Finds blocks that a person ordered on a user, client or agent that nothing has used or tried to use since. A rule is idle from $5 milliseconds on.
-- $1 tenant  $2 from (unused)  $3 to  $4 now, epoch milliseconds  $5 milliseconds
SELECT r.rule AS subject, CASE e.kind WHEN 1 THEN e.id END AS usr, CASE e.kind WHEN 2 THEN e.id END AS client, CASE e.kind WHEN 3 THEN e.id END AS agent, 1 AS count,
       r.ordered_ms / 1000 AS first_at, $4::bigint / 1000 AS last_at, ARRAY[r.from_ix] AS entries, jsonb_build_object('rule', r.rule, 'reason', r.reason) AS details
FROM rule_version r
JOIN entity e ON e.tenant = $1 AND e.kind IN (1, 2, 3) AND e.key = r.lead
WHERE r.tenant = $1 AND $2::bigint < $3::bigint AND r.from_ix < $3::bigint AND r.cause IS NULL AND r.nth = 0 AND r.effect = 'block' AND r.lifted_ix IS NULL
  AND (r.until_at IS NULL OR r.until_at > $4::bigint / 1000) AND r.ordered_ms < $4::bigint - $5::bigint
  AND NOT EXISTS (SELECT FROM access a WHERE a.tenant = $1 AND a.usr = e.id AND a.at > r.ordered_ms / 1000)
  AND NOT EXISTS (SELECT FROM access a WHERE a.tenant = $1 AND a.client = e.id AND a.at > r.ordered_ms / 1000)
  AND NOT EXISTS (SELECT FROM access a WHERE a.tenant = $1 AND a.agent = e.id AND a.at > r.ordered_ms / 1000)
ORDER BY r.from_ix DESC
LIMIT 100
