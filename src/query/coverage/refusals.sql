-- Counts refused records of a tenant's sources in a window, by reason. At most $4 records are counted; `read` says how
-- many were.
-- $1 tenant  $2 from, $3 to (epoch seconds)  $4 records
SELECT source, code, count(*) AS n, sum(count(*)) OVER () AS read
FROM (
  SELECT source, code
  FROM quarantine
  WHERE coalesce(tenant, '00000000-0000-0000-0000-000000000000') = $1 AND at >= to_timestamp($2) AND at < to_timestamp($3)
  LIMIT $4
) q
GROUP BY source, code
ORDER BY n DESC, code
