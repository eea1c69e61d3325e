INSERT INTO source_routes AS s (tenant, source, routes, over, over_from_ix)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::bigint[], $5::bigint[])
ON CONFLICT (tenant, source) DO UPDATE
SET routes = s.routes + excluded.routes, over = s.over + excluded.over, over_from_ix = coalesce(s.over_from_ix, excluded.over_from_ix)
