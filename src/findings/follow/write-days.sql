-- Adds sums of uses to the days of their users, clients and resources.
-- $1 tenant  $2 sums, once a day
INSERT INTO finding_day AS d (tenant, client, res, usr, day, allowed, denied, records, hops, first_at, last_at)
SELECT $1, client, res, usr, day, capped(allowed), capped(denied), capped(records), capped(hops), first_at, last_at
FROM jsonb_to_recordset($2::jsonb) AS s (client int, res int, usr int, day int, allowed numeric, denied numeric, records numeric, hops numeric, first_at bigint, last_at bigint)
ORDER BY client, res, day, usr
ON CONFLICT (tenant, client, res, day, usr) DO UPDATE SET
  allowed = capped(d.allowed::numeric + excluded.allowed), denied = capped(d.denied::numeric + excluded.denied),
  records = capped(d.records::numeric + excluded.records), hops = capped(d.hops::numeric + excluded.hops),
  first_at = least(d.first_at, excluded.first_at), last_at = greatest(d.last_at, excluded.last_at)
