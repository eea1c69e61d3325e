-- Reads the uses of a range as of its end. `source_res` is left out: it is working state of the projection.
-- $1 tenant  $2 first index  $3 the index after the last
SELECT a.ix, a.at AS first_at, a.until_at AS last_at,
       CASE WHEN a.bound_ix < $3::bigint THEN a.bound_ix END AS bound_ix,
       CASE WHEN a.bound_ix < $3 THEN a.usr END AS usr,
       CASE WHEN a.bound_ix < $3 THEN a.client END AS client,
       CASE WHEN coalesce(a.agent_ix, a.bound_ix) < $3 THEN a.agent END AS agent,
       CASE WHEN a.agent_ix < $3 THEN a.agent_ix END AS agent_ix,
       CASE WHEN a.res_bound IS NULL OR a.bound_ix < $3 THEN a.res END AS res,
       CASE WHEN a.bound_ix < $3 THEN a.res_bound END AS res_bound,
       CASE WHEN a.foreign_ix < $3 THEN a.foreign_ix END AS foreign_ix,
       array_to_json(a.scopes) AS scopes, a.op, a.outcome, a.status, a.route, a.addr, a.source, encode(a.tok, 'hex') AS tok,
       a.n, a.records, a.bytes
FROM access a
WHERE a.tenant = $1::uuid AND a.ix >= $2::bigint AND a.ix < $3
