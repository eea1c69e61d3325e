-- Finds blocks that a person ordered on a user or client that nothing has used or tried to use since. A rule is idle from $5 milliseconds on.
-- $1 tenant  $2 from  $3 to  $4 now, epoch milliseconds  $5 milliseconds
WITH fresh AS MATERIALIZED (
{fresh}
)
SELECT r.rule AS subject, CASE e.kind WHEN 1 THEN e.id END AS usr, CASE e.kind WHEN 2 THEN e.id END AS client, 1 AS count,
       r.ordered_ms / 1000 AS first_at, $4::bigint / 1000 AS last_at, ARRAY[r.from_ix] AS entries, jsonb_build_object('rule', r.rule, 'reason', r.reason) AS details
FROM rule_version r
JOIN entity e ON e.tenant = $1 AND e.kind IN (1, 2) AND e.key = r.lead
WHERE r.tenant = $1 AND r.from_ix < $3::bigint AND r.cause IS NULL AND r.nth = 0 AND r.effect = 'block' AND r.lifted_ix IS NULL
  AND (r.until_at IS NULL OR r.until_at > $4::bigint / 1000) AND r.ordered_ms < $4::bigint - $5::bigint
  AND NOT EXISTS (SELECT FROM finding_day d WHERE d.tenant = $1 AND d.usr = e.id AND d.last_at > r.ordered_ms / 1000)
  AND NOT EXISTS (SELECT FROM finding_day d WHERE d.tenant = $1 AND d.client = e.id AND d.last_at > r.ordered_ms / 1000)
  AND NOT EXISTS (SELECT FROM fresh f WHERE e.id IN (f.usr, f.client) AND f.at > r.ordered_ms / 1000)
ORDER BY r.from_ix DESC
LIMIT 100
