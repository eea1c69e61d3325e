-- Thins days of the past of findings: of each finding the last row of a day stays, with the bounds of the day, as though the day had been one step.
-- $1 tenant  $2 the first day  $3 the day behind the last one
WITH old AS MATERIALIZED (
  SELECT p.finding, p.to_ix, p.to_ix = max(p.to_ix) OVER (PARTITION BY p.finding, p.day) AS stays,
         min(p.from_ix) OVER (PARTITION BY p.day) AS day_from, max(p.to_ix) OVER (PARTITION BY p.day) AS day_to
  FROM finding_past p
  WHERE p.tenant = $1 AND p.day >= $2 AND p.day < $3
), gone AS (
  DELETE FROM finding_past p USING old o WHERE p.tenant = $1 AND p.finding = o.finding AND p.to_ix = o.to_ix AND NOT o.stays
)
UPDATE finding_past p SET from_ix = o.day_from, to_ix = o.day_to
FROM old o WHERE p.tenant = $1 AND p.finding = o.finding AND p.to_ix = o.to_ix AND o.stays
