-- Lists findings, the ones with the newest evidence first.
-- $1 tenant  $2, $14 last_at and id of the page before, or null  $3 limit  $4 state  $5 least severity  $6 kinds  $7 users  $8 clients  $9 agents  $10 resources
-- $11 from  $12 to  $13 id; null: any
SELECT f.id, f.kind, f.subject, f.severity, f.count, f.first_at, f.last_at, f.usr, f.client, f.agent, f.res, f.tok, f.source, f.entries, f.details,
       f.found_ms, f.closed_ms, CASE WHEN f.closed_ms IS NULL THEN 'open' ELSE 'resolved' END AS state, t.facts
FROM finding f
LEFT JOIN token t ON t.tenant = $1 AND t.key = f.tok
WHERE f.tenant = $1
  AND ($2::bigint IS NULL OR (f.last_at, f.id) < ($2::bigint, $14::uuid))
  AND ($4::text IS NULL OR CASE WHEN f.closed_ms IS NULL THEN 'open' ELSE 'resolved' END = $4)
  AND ($5::smallint IS NULL OR f.severity >= $5)
  AND ($6::text[] IS NULL OR f.kind = ANY ($6))
  AND ($7::int[] IS NULL OR f.usr = ANY ($7)) AND ($8::int[] IS NULL OR f.client = ANY ($8))
  AND ($9::int[] IS NULL OR f.agent = ANY ($9)) AND ($10::int[] IS NULL OR f.res = ANY ($10))
  AND ($11::bigint IS NULL OR f.last_at >= $11) AND ($12::bigint IS NULL OR f.first_at < $12)
  AND ($13::uuid IS NULL OR f.id = $13)
ORDER BY f.last_at DESC, f.id DESC
LIMIT $3
