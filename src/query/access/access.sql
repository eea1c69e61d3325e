-- Lists accesses, newest first. statements.ts replaces the words in braces: by the condition whose index is walked,
-- once for each driving id, and by matches.sql, which explains $1 to $13.
-- $14 driving ids  $15 from  $16 to  $17, $18 position (at, ix)  $19 rows
SELECT a.ix, a.at, a.until_at, a.bound,
       CASE WHEN a.bound THEN a.usr END AS usr,
       CASE WHEN a.bound THEN a.client END AS client,
       CASE WHEN coalesce(a.agent_ix, a.bound_ix) < $2 THEN a.agent END AS agent,
       CASE WHEN a.bound OR a.res_bound IS NULL THEN a.res END AS res,
       a.scopes, a.op, a.outcome, a.status, a.route, a.addr, a.source, a.tok, a.n, a.records, a.bytes
FROM unnest($14::int[]) AS d (id)
CROSS JOIN LATERAL (
  SELECT a.*, coalesce(a.bound_ix < $2::bigint, false) AS bound
  FROM access a
  WHERE a.tenant = $1
    AND {driven}
    AND a.at >= $15::bigint AND a.at < $16::bigint
    AND (a.at, a.ix) < ($17::bigint, $18::bigint)
    AND a.ix < $2::bigint
    AND {matches}
  ORDER BY a.at DESC, a.ix DESC
  LIMIT $19
) a
ORDER BY a.at DESC, a.ix DESC
LIMIT $19
