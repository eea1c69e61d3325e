-- Accesses, newest first, as of an index. What stands in braces is one of a closed list in access.pg.ts: the condition whose index is
-- walked, once for each of the driving ids. What became attributed at or after that index shows as it was before: unattributed.
-- $1 tenant  $2 driving ids  $3 as of  $4 from  $5 to  $6, $7 position (at, ix)  $8 rows
-- $9 users  $10 clients  $11 agents  $12 resources  $13 token  $14 operation  $15 outcome  $16 agent type
SELECT a.ix, a.at, a.until_at, a.bound,
       CASE WHEN a.bound THEN a.usr END AS usr,
       CASE WHEN a.bound THEN a.client END AS client,
       CASE WHEN a.bound THEN a.agent END AS agent,
       a.res, a.scopes, a.op, a.outcome, a.status, a.route, a.addr, a.source, a.tok, a.n, a.records, a.bytes
FROM unnest($2::int[]) AS d (id)
CROSS JOIN LATERAL (
  SELECT a.*, coalesce(a.bound_ix < $3::bigint, false) AS bound
  FROM access a
  WHERE a.tenant = $1
    AND {driven}
    AND a.at >= $4::bigint AND a.at < $5::bigint
    AND (a.at, a.ix) < ($6::bigint, $7::bigint)
    AND a.ix < $3::bigint
    AND ($9::int[] IS NULL OR (a.usr = ANY ($9) AND a.bound_ix < $3))
    AND ($10::int[] IS NULL OR (a.client = ANY ($10) AND a.bound_ix < $3))
    AND ($11::int[] IS NULL OR (a.agent = ANY ($11) AND a.bound_ix < $3))
    AND ($12::int[] IS NULL OR a.res = ANY ($12))
    AND ($13::bytea IS NULL OR a.tok = $13)
    AND ($14::smallint IS NULL OR a.op = $14)
    AND ($15::smallint IS NULL OR a.outcome = $15)
    -- A scalar subquery, which is looked up row by row; of an EXISTS the planner would hash every token of the tenant.
    AND ($16::text IS NULL OR (
      SELECT $16 IN (t.facts #>> '{agent,type}', t.facts #>> '{id_jag,agent,type}', j.facts #>> '{agent,type}')
      FROM token t
      LEFT JOIN id_jag j ON j.tenant = $1 AND j.key = t.id_jag_key AND j.ix < $3
      WHERE t.tenant = $1 AND t.key = a.tok AND t.ix < $3))
  ORDER BY a.at DESC, a.ix DESC
  LIMIT $8
) a
ORDER BY a.at DESC, a.ix DESC
LIMIT $8
