-- Finds how far the detections had read at an index: to it, unless the step that read over it changed a finding; then to where that step begins.
-- $1 tenant  $2 index
SELECT coalesce(s.from_ix, least(c.next_ix, $2::bigint)) AS next_ix
FROM finding_cursor c
LEFT JOIN LATERAL (
  SELECT CASE WHEN p.from_ix < $2 THEN p.from_ix END AS from_ix FROM finding_past p WHERE p.tenant = $1 AND p.to_ix > $2 ORDER BY p.to_ix LIMIT 1
) s ON true
WHERE c.tenant = $1
