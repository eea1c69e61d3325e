-- The latest accesses of the driving ids, at most $18 of them, added up where they match. What stands in braces: see access.sql.
-- $14 driving ids  $15 from  $16 to  $17 seconds in a bucket  $18 rows that may be walked
WITH walked AS MATERIALIZED (
  SELECT a.*
  FROM unnest($14::int[]) AS d (id)
  CROSS JOIN LATERAL (
    SELECT a.ix, a.bound_ix, a.at, a.usr, a.client, a.agent, a.agent_ix, a.res, a.res_bound, a.scopes, a.op, a.outcome, a.route, a.addr, a.tok,
           a.n, a.records, a.bytes
    FROM access a
    WHERE a.tenant = $1
      AND {driven}
      AND a.at >= $15::bigint AND a.at < $16::bigint
      AND a.ix < $2::bigint
    ORDER BY a.at DESC, a.ix DESC
    LIMIT $18 + 1
  ) a
  ORDER BY a.at DESC, a.ix DESC
  LIMIT $18 + 1
)
SELECT a.at / $17::bigint AS bucket, NULL::bigint AS walked, NULL::bigint AS counted_from,
       sum(a.n) AS n,
       sum(a.n) FILTER (WHERE a.outcome = 1) AS allowed,
       sum(a.n) FILTER (WHERE a.outcome = 1 AND a.op = 1) AS reads,
       sum(a.n) FILTER (WHERE a.outcome = 1 AND a.op = 2) AS writes,
       sum(a.n) FILTER (WHERE a.outcome = 1 AND a.op = 3) AS deletes,
       sum(a.n) FILTER (WHERE a.outcome = 1 AND a.op = 4) AS exports,
       sum(a.n) FILTER (WHERE a.outcome = 1 AND a.op = 5) AS admins,
       sum(a.records) FILTER (WHERE a.outcome = 1) AS records,
       sum(a.bytes) FILTER (WHERE a.outcome = 1) AS bytes
FROM (SELECT * FROM walked LIMIT $18) a
WHERE {matches}
  -- A token's uses are all attributed or none is: asked for by its id, they count either way.
  AND (a.bound_ix < $2 OR $7 IS NOT NULL)
GROUP BY 1
UNION ALL
SELECT NULL, count(*), min(at), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM walked
