-- Reads the open grants of users, clients and resources, at most one each. Ordered by the last column of the indexes that have the whole key, so that each is
-- looked up by it: by the resource alone, which may have most of all grants, the planner would compare each of them with each that is asked for.
SELECT g.tenant, g.usr, g.client, g.res, g.from_ix, g.scopes, g.agent
FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[]) AS w (tenant, usr, client, res)
CROSS JOIN LATERAL (
  SELECT * FROM grant_version g
  WHERE g.tenant = w.tenant AND g.usr = w.usr AND g.client = w.client AND g.res = w.res AND g.to_ix IS NULL
  ORDER BY g.from_ix DESC
  LIMIT 1
) g
