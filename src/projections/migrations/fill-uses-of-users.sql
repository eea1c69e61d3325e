-- What the writers would have written of the blocks that the ledger has left.
INSERT INTO use_usr_end (tenant, blk) SELECT tenant, ((next_ix - 1) >> 14)::int FROM ledger_head WHERE next_ix > 16384;

INSERT INTO use_usr (tenant, usr, client, res, blk, n, allowed, first_at, last_at, first_allowed, last_allowed, agents)
SELECT tenant, usr, client, res, blk, capped(sum(n)), capped(sum(allowed)), min(first_at), max(last_at), min(first_allowed), max(last_allowed),
       array_agg(agent ORDER BY agent) FILTER (WHERE agent IS NOT NULL)
FROM (
  SELECT a.tenant, a.usr, a.client, a.res, (a.bound_ix >> 14)::int AS blk, CASE WHEN a.agent_ix IS NULL THEN a.agent END AS agent,
         sum(a.n) AS n, coalesce(sum(a.n) FILTER (WHERE a.outcome = 1), 0) AS allowed, min(a.at) AS first_at, max(a.until_at) AS last_at,
         min(a.at) FILTER (WHERE a.outcome = 1) AS first_allowed, max(a.until_at) FILTER (WHERE a.outcome = 1) AS last_allowed
  FROM access a JOIN use_usr_end e ON e.tenant = a.tenant
  WHERE a.bound_ix < e.blk::bigint << 14 AND a.usr IS NOT NULL AND a.res IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5, 6
) s
GROUP BY tenant, blk, usr, client, res
ORDER BY tenant, blk, usr, client, res;
