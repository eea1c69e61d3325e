UPDATE grant_version g SET to_ix = w.to_ix
FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::bigint[], $6::bigint[]) AS w (tenant, usr, client, res, from_ix, to_ix)
WHERE g.tenant = w.tenant AND g.usr = w.usr AND g.client = w.client AND g.res = w.res AND g.from_ix = w.from_ix
