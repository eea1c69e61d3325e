-- Completes earlier tokens from the IdP's events of this batch. Each column is set once.
WITH came AS (
  SELECT w.tenant, w.ix, j.key, j.sha_key, j.usr, j.agent, j.facts ->> 'iss' AS iss
  FROM unnest($1::uuid[], $2::bytea[], $3::bigint[]) AS w (tenant, key, ix)
  JOIN id_jag j ON j.tenant = w.tenant AND j.key = w.key AND j.ix = w.ix
)
UPDATE token t
SET usr = coalesce(t.usr, c.usr),
    bound_ix = coalesce(t.bound_ix, greatest(t.ix, c.ix)),
    agent = coalesce(t.agent, c.agent),
    agent_ix = CASE WHEN t.agent IS NULL AND c.agent IS NOT NULL AND c.ix > t.ix THEN c.ix ELSE t.agent_ix END
FROM came c
WHERE t.tenant = c.tenant AND t.id_jag_key IN (c.key, c.sha_key)
  -- Anybody who has seen an ID-JAG knows its digest. The ID-JAG that the RAS verified is from the issuer that the RAS states.
  AND t.facts #>> '{id_jag,iss}' = c.iss
  AND (t.bound_ix IS NULL OR (t.agent IS NULL AND c.agent IS NOT NULL))
RETURNING t.tenant, t.key
