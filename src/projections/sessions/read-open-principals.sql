SELECT DISTINCT p.tenant, p.entity, p.from_ix, p.state, p.at_ms
FROM unnest($1::uuid[], $2::int[]) AS w (tenant, entity)
JOIN principal_version p USING (tenant, entity)
WHERE p.to_ix IS NULL
