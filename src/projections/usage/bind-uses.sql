-- Attributes earlier uses of tokens whose user, client or agent has become known. Returns them as `CountedUse` and `Attribution`.
-- $1 tenants  $2 keys of the tokens  $3 the batch's first index in their tenant
UPDATE access a
SET usr = t.usr, client = t.client, agent = t.agent,
    res = coalesce(a.res, t.res[1]),
    res_bound = CASE WHEN a.res IS NULL THEN true ELSE a.res_bound END,
    bound_ix = coalesce(a.bound_ix, greatest(a.ix, t.bound_ix)),
    -- Cleared, as for a use whose token existed before it: how events were batched must not show.
    source_res = NULL,
    agent_ix = CASE WHEN t.agent_ix > greatest(a.ix, t.bound_ix) THEN t.agent_ix END
FROM unnest($1::uuid[], $2::bytea[], $3::bigint[]) AS w (tenant, key, first_ix)
JOIN token t ON t.tenant = w.tenant AND t.key = w.key AND t.bound_ix IS NOT NULL
WHERE a.tenant = t.tenant AND a.tok = t.key
  AND CASE WHEN a.bound_ix IS NOT NULL THEN a.agent IS NULL AND t.agent IS NOT NULL
           -- A use without resources was written by a release that kept none.
           ELSE a.source_res IS NULL OR {meets a t} END
-- A use that an earlier batch bound is counted already; only its agent is new.
RETURNING a.tenant, a.source, a.usr, a.client, a.agent, a.res, coalesce(a.scopes, '{}') AS scopes, a.op, a.outcome, a.at::float8, a.until_at::float8 AS until,
          a.n::float8, a.records::float8, a.bytes::float8, a.bound_ix::float8 AS "boundIx", a.agent_ix::float8 AS "agentIx", a.bound_ix >= w.first_ix AS fresh
