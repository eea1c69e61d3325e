SELECT g.tenant, g.usr, g.client, g.res, g.from_ix, g.scopes, g.agent
FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[]) AS w (tenant, usr, client, res)
JOIN grant_version g USING (tenant, usr, client, res)
WHERE g.to_ix IS NULL
