-- Lists grants that appeared or grew, folded by client, resource and unit of time of their arrival, newest first. The text in braces comes
-- from a closed list in streams.pg.ts.
-- $1 tenant  $2 as of  $3 ids  $4 from and $5 to, epoch milliseconds, both included  $6 no group after this  $7 unit, milliseconds
-- $8 rows
SELECT client, res, again, sum(n)::int AS n, min(first_ms) AS first_ms, max(last_ms) AS at_ms, max(ix) AS ix,
       CASE WHEN min(usr) = max(other_usr) THEN min(usr) END AS usr, CASE WHEN min(agent) = max(other_agent) THEN min(agent) END AS agent,
       jsonb_agg(added) AS added
FROM (
  SELECT g.client, g.res, g.again, e.arrival / $7::bigint AS unit, array_to_json(p.added)::text AS added, count(*) AS n, min(e.arrival) AS first_ms, max(e.arrival) AS last_ms,
         max(g.from_ix) AS ix, min(g.usr) AS usr, max(g.usr) AS other_usr, min(coalesce(g.agent, 0)) AS agent, max(coalesce(g.agent, 0)) AS other_agent
  FROM grant_version g
  JOIN entry e ON e.tenant = $1 AND e.ix = g.from_ix
  CROSS JOIN LATERAL (
    SELECT CASE WHEN NOT g.again THEN g.scopes ELSE ARRAY(
      SELECT unnest(g.scopes) EXCEPT SELECT unnest(b.scopes) FROM grant_version b
      WHERE b.tenant = $1 AND b.usr = g.usr AND b.client = g.client AND b.res = g.res AND b.to_ix = g.from_ix
    ) END AS added
  ) p
  WHERE g.tenant = $1 AND {whose} AND g.from_ix < $2::bigint AND e.arrival BETWEEN $4::bigint AND $5::bigint
  GROUP BY 1, 2, 3, 4, 5
) part
GROUP BY client, res, again, unit
HAVING max(last_ms) <= $6::bigint
ORDER BY at_ms DESC, ix DESC, client, res, again
LIMIT $8
