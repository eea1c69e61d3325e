-- Lists findings, the ones with the newest evidence first.
-- $1 tenant  $2, $14 last_at and id of the page before, or null  $3 limit  $4 states  $5 least severity  $6 kinds  $7 users  $8 clients  $9 agents  $10 resources
-- $11 from  $12 to  $13 id; null: any  $15 now, epoch seconds  $16 source  $17 users, clients, agents and resources of which one is named  $18 index, of the past alone
{muted}
SELECT f.id, f.kind, f.severity, f.count, f.first_at, f.last_at, f.usr, f.client, f.agent, f.res, f.tok, f.source, f.entries, f.details,
       f.found_ms, f.closed_ms, t.facts, s.state, s.said, s.at_ms, w.why
FROM {finding} f
LEFT JOIN token t ON t.tenant = $1 AND t.key = f.tok
{state}
WHERE f.tenant = $1
  AND ($2::bigint IS NULL OR (f.last_at, f.id) < ($2::bigint, $14::uuid))
  AND ($4::text[] IS NULL OR s.state = ANY ($4))
  AND ($5::smallint IS NULL OR f.severity >= $5)
  AND ($6::text[] IS NULL OR f.kind = ANY ($6))
  AND ($7::int[] IS NULL OR f.usr = ANY ($7)) AND ($8::int[] IS NULL OR f.client = ANY ($8))
  AND ($9::int[] IS NULL OR f.agent = ANY ($9)) AND ($10::int[] IS NULL OR f.res = ANY ($10))
  AND ($11::bigint IS NULL OR f.last_at >= $11) AND ($12::bigint IS NULL OR f.first_at < $12)
  AND ($13::uuid IS NULL OR f.id = $13)
  AND ($16::uuid IS NULL OR f.source = $16)
  AND ($17::int[] IS NULL OR f.usr = ANY ($17) OR f.client = ANY ($17) OR f.agent = ANY ($17) OR f.res = ANY ($17))
ORDER BY f.last_at DESC, f.id DESC
LIMIT $3
