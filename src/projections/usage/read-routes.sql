-- Reads the number of routes that each source has brought (nth null), and which of the routes exist already.
SELECT NULL::bigint AS nth, tenant, source, routes
FROM unnest($1::uuid[], $2::uuid[]) AS w (tenant, source) JOIN source_routes USING (tenant, source)
UNION ALL
SELECT w.nth, w.tenant, NULL, NULL
FROM unnest($3::uuid[], $4::bytea[]) WITH ORDINALITY AS w (tenant, key, nth)
JOIN entity e ON e.tenant = w.tenant AND e.kind = 7 AND e.key = w.key
