-- Tells what changed of findings since the news last told of them, and remembers what it told. A finding that has not changed enough makes no news, nor one that a
-- person has muted or called a false alarm, as long as that counts.
-- The row of `finding_news_head` is locked until the transaction ends, so that the order of seq is the order of commits, without holes.
-- $1 tenant  $2 ids of findings  $3 now, epoch milliseconds  $4 what to tell of each of them, or null: as their rows say
WITH changed AS (
  {muted}
  SELECT f.id, f.closed_ms IS NOT NULL OR s.state IN ('resolved', 'false-alarm') AS closed, CASE
    WHEN $4::text IS NOT NULL THEN $4::text
    WHEN s.state IN ('muted', 'false-alarm') THEN NULL
    WHEN f.told_count IS NULL THEN CASE WHEN f.closed_ms IS NULL THEN 'opened' END
    WHEN f.told_closed AND s.state <> 'resolved' THEN 'reopened'
    WHEN NOT f.told_closed AND f.closed_ms IS NOT NULL THEN 'resolved'
    WHEN s.state <> 'resolved' AND (f.count >= 2 * f.told_count OR f.severity > f.told_severity) THEN 'grown'
  END AS what
  FROM finding f
  {state}
  WHERE f.tenant = $1::uuid AND f.id = ANY ($2::uuid[])
), due AS (
  SELECT c.id, c.what, c.closed, row_number() OVER (ORDER BY c.id) AS nth FROM changed c WHERE c.what IS NOT NULL
), told AS (
  UPDATE finding f SET told_count = f.count, told_severity = f.severity, told_closed = d.closed
  FROM due d WHERE f.tenant = $1::uuid AND f.id = d.id
), head AS (
  INSERT INTO finding_news_head AS h (tenant, seq) SELECT $1::uuid, count(*) FROM due HAVING count(*) > 0
  ON CONFLICT (tenant) DO UPDATE SET seq = h.seq + excluded.seq
  RETURNING h.seq
)
INSERT INTO finding_news (tenant, seq, finding, what, at_ms)
SELECT $1::uuid, head.seq - (SELECT count(*) FROM due) + d.nth, d.id, d.what, $3::bigint FROM due d CROSS JOIN head
