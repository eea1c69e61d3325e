WITH written AS (
  INSERT INTO access (tenant, ix, bound_ix, at, until_at, usr, client, agent, res, scopes, op, outcome, status, route, addr, source,
                      tok, n, records, bytes)
  SELECT w.tenant, w.ix, CASE WHEN t.bound_ix IS NOT NULL THEN greatest(w.ix, t.bound_ix) END, w.at, w.until_at, t.usr, t.client, t.agent, coalesce(w.res, t.res[1]),
         w.scopes::int[], w.op, w.outcome, w.status, w.route, w.addr, w.source, w.tok, w.n, w.records, w.bytes
  FROM unnest(
    $1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::int[], $6::text[], $7::smallint[], $8::smallint[], $9::int[],
    $10::int[], $11::int[], $12::uuid[], $13::bytea[], $14::bigint[], $15::bigint[], $16::bigint[])
    AS w (tenant, ix, at, until_at, res, scopes, op, outcome, status, route, addr, source, tok, n, records, bytes)
  LEFT JOIN token t ON t.tenant = w.tenant AND t.key = w.tok AND t.bound_ix IS NOT NULL
  RETURNING tenant, bound_ix, usr, client, res, scopes, outcome
)
INSERT INTO first_use (tenant, usr, client, res, scope, first_ix)
SELECT tenant, usr, client, res, scope, min(bound_ix)
FROM written, unnest(scopes) AS scope
WHERE bound_ix IS NOT NULL AND usr IS NOT NULL AND res IS NOT NULL AND outcome = 1
GROUP BY tenant, usr, client, res, scope
-- One batch writes twice, what it binds and what it brings: the earlier index wins. Of earlier batches it always has.
ON CONFLICT (tenant, usr, client, res, scope) DO UPDATE SET first_ix = excluded.first_ix WHERE excluded.first_ix < first_use.first_ix
