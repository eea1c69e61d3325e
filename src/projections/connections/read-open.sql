SELECT c.tenant, c.id, c.from_ix, c.state, c.at, c.scopes, c.agent
FROM unnest($1::uuid[], $2::bytea[]) AS w (tenant, id)
JOIN connection_version c USING (tenant, id)
WHERE c.to_ix IS NULL
