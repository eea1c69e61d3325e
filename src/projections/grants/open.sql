INSERT INTO grant_version (tenant, usr, client, res, from_ix, to_ix, scopes, agent, again)
SELECT tenant, usr, client, res, from_ix, to_ix, ARRAY(SELECT jsonb_array_elements_text(scopes)), agent, again = 1
FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::bigint[], $6::bigint[], $7::jsonb[], $8::int[], $9::int[])
  AS w (tenant, usr, client, res, from_ix, to_ix, scopes, agent, again)
