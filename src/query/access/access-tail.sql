-- Lists accesses behind an index, in the order of the ledger. statements.ts replaces the word in
-- braces by matches.sql, which explains $1 to $13.
-- $14 index  $15 rows
SELECT a.ix, a.at, a.until_at, a.bound,
       CASE WHEN a.bound THEN a.usr END AS usr,
       CASE WHEN a.bound THEN a.client END AS client,
       CASE WHEN coalesce(a.agent_ix, a.bound_ix) < $2 THEN a.agent END AS agent,
       CASE WHEN a.bound OR a.res_bound IS NULL THEN a.res END AS res,
       a.scopes, a.op, a.outcome, a.status, a.route, a.addr, a.source, a.tok, a.n, a.records, a.bytes
FROM (
  SELECT a.*, coalesce(a.bound_ix < $2::bigint, false) AS bound
  FROM access a
  WHERE a.tenant = $1
    AND a.ix > $14::bigint AND a.ix < $2
    AND {matches}
  ORDER BY a.ix
  LIMIT $15
) a
ORDER BY a.ix
