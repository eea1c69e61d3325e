WITH bound AS (
  UPDATE access a
  SET usr = t.usr, client = t.client, agent = t.agent, res = coalesce(a.res, t.res[1]), bound_ix = coalesce(a.bound_ix, greatest(a.ix, t.bound_ix))
  FROM unnest($1::uuid[], $2::bytea[]) AS w (tenant, key)
  JOIN token t ON t.tenant = w.tenant AND t.key = w.key AND t.bound_ix IS NOT NULL
  WHERE a.tenant = t.tenant AND a.tok = t.key AND (a.bound_ix IS NULL OR (a.agent IS NULL AND t.agent IS NOT NULL))
  RETURNING a.tenant, a.bound_ix, a.usr, a.client, a.res, a.scopes, a.outcome
)
INSERT INTO first_use (tenant, usr, client, res, scope, first_ix)
SELECT tenant, usr, client, res, scope, min(bound_ix)
FROM bound, unnest(scopes) AS scope
WHERE usr IS NOT NULL AND res IS NOT NULL AND outcome = 1
GROUP BY tenant, usr, client, res, scope
-- One batch writes twice, what it binds and what it brings: the earlier index wins. Of earlier batches it always has.
ON CONFLICT (tenant, usr, client, res, scope) DO UPDATE SET first_ix = excluded.first_ix WHERE excluded.first_ix < first_use.first_ix
