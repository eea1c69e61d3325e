-- Sums attributed uses by user, client and resource within a window of time, as of an index: the sums of closed blocks, and the single uses
-- that came later or belong to a sum that a limit of time cuts. The texts in braces come from a closed list in user-uses.pg.ts.
-- $1 tenant  $2 as of  $3, $4, $5 users, clients, resources  $6 from  $7 to  $8, $9 times from which allowed uses are counted too, or null
WITH asked AS MATERIALIZED (SELECT DISTINCT * FROM {asked}),
closed AS MATERIALIZED (SELECT least(coalesce((SELECT blk FROM use_usr_end WHERE tenant = $1), 0), ($2::bigint >> 14)::int) AS blk),
-- For each user or grant the index returns rows in the order of the groups, so nothing is sorted, however many rows there are.
stored AS MATERIALIZED (
  SELECT d.usr, s.*
  FROM asked d
  CROSS JOIN LATERAL (
    SELECT client, res, sum(n) FILTER (WHERE NOT cut) AS n, sum(allowed) FILTER (WHERE NOT cut) AS allowed,
           sum(allowed) FILTER (WHERE NOT cut AND first_at >= $8) AS since_one, sum(allowed) FILTER (WHERE NOT cut AND first_at >= $9) AS since_two,
           min(first_at) FILTER (WHERE NOT cut) AS first_at, max(last_at) FILTER (WHERE NOT cut) AS last_at,
           min(first_allowed) FILTER (WHERE NOT cut) AS first_allowed, max(last_allowed) FILTER (WHERE NOT cut) AS last_allowed,
           string_agg(array_to_string(agents, ' '), ' ') FILTER (WHERE NOT cut) AS agents,
           array_agg(blk) FILTER (WHERE cut) AS cut_blk, array_agg(first_at) FILTER (WHERE cut) AS cut_first, array_agg(last_at) FILTER (WHERE cut) AS cut_last
    FROM (
      SELECT client, res, blk, n, allowed, first_at, last_at, first_allowed, last_allowed, agents,
             first_at < $6 OR last_at >= $7 OR coalesce(first_at < $8::bigint AND last_at >= $8, false) OR coalesce(first_at < $9::bigint AND last_at >= $9, false) AS cut
      FROM use_usr u
      WHERE u.tenant = $1 AND {stored} AND u.blk < (SELECT blk FROM closed) AND u.last_at >= $6::bigint AND u.first_at < $7::bigint
      OFFSET 0
    ) u
    GROUP BY client, res
  ) s
),
cut AS MATERIALIZED (SELECT s.usr, s.client, s.res, c.* FROM stored s CROSS JOIN LATERAL unnest(s.cut_blk, s.cut_first, s.cut_last) AS c (blk, first_at, last_at)),
-- OFFSET makes the planner find the uses of the open block by its indexes, and those of a cut block by user and time. IS TRUE makes it look up
-- the users and pairs in a hash, whatever it estimates.
single AS (
  SELECT a.usr, a.client, a.res, a.n, a.outcome, a.at, a.until_at, a.agent, a.agent_ix
  FROM closed c CROSS JOIN LATERAL (
    (SELECT usr, client, res, n, outcome, at, until_at, agent, agent_ix FROM access
     WHERE tenant = $1 AND ix >= c.blk::bigint << 14 AND ix < $2 AND bound_ix < $2 OFFSET 0)
    UNION ALL
    (SELECT usr, client, res, n, outcome, at, until_at, agent, agent_ix FROM access
     WHERE tenant = $1 AND bound_ix > ix AND bound_ix >= c.blk::bigint << 14 AND bound_ix < $2 AND ix < c.blk::bigint << 14 OFFSET 0)
  ) a
  WHERE (a.usr IN (SELECT usr FROM asked)) IS TRUE AND a.res IS NOT NULL AND {single}
  UNION ALL
  SELECT a.usr, a.client, a.res, a.n, a.outcome, a.at, a.until_at, a.agent, a.agent_ix
  FROM (SELECT usr, blk, min(first_at) AS first_at, max(last_at) AS last_at FROM cut GROUP BY usr, blk) c
  CROSS JOIN LATERAL (
    SELECT usr, client, res, n, outcome, at, until_at, agent, agent_ix FROM access a
    WHERE a.tenant = $1 AND a.usr = c.usr AND a.at >= c.first_at AND a.at <= c.last_at
      AND a.bound_ix >= c.blk::bigint << 14 AND a.bound_ix < (c.blk + 1)::bigint << 14 AND a.res IS NOT NULL
    OFFSET 0
  ) a
  WHERE ((c.usr, a.client, a.res, c.blk) IN (SELECT usr, client, res, blk FROM cut)) IS TRUE
),
part AS (
  SELECT usr, client, res, n, allowed, since_one, since_two, first_at, last_at, first_allowed, last_allowed, agents FROM stored WHERE n IS NOT NULL
  UNION ALL
  SELECT usr, client, res, n, CASE WHEN outcome = 1 THEN n ELSE 0 END, CASE WHEN outcome = 1 AND at >= $8 THEN n END, CASE WHEN outcome = 1 AND at >= $9 THEN n END,
         at, until_at, CASE WHEN outcome = 1 THEN at END, CASE WHEN outcome = 1 THEN until_at END, CASE WHEN agent_ix IS NULL THEN agent::text END
  FROM single WHERE at >= $6 AND at < $7
  UNION ALL
  -- Uses whose agent became known later than the use: they add only the agent.
  SELECT a.usr, a.client, a.res, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, a.agent::text
  FROM (SELECT DISTINCT usr FROM asked) d
  CROSS JOIN LATERAL (
    SELECT usr, client, res, agent, at FROM access a WHERE a.tenant = $1 AND a.usr = d.usr AND a.agent_ix IS NOT NULL AND a.agent_ix < $2 OFFSET 0
  ) a
  WHERE a.at >= $6 AND a.at < $7 AND a.res IS NOT NULL AND {single}
)
SELECT usr, client, res, sum(n) AS accesses, sum(allowed) AS allowed, coalesce(sum(since_one), 0) AS since_one, coalesce(sum(since_two), 0) AS since_two,
       min(first_at) AS first, max(last_at) AS last, min(first_allowed) AS first_used, max(last_allowed) AS last_used, string_agg(agents, ' ') AS agents
FROM part
GROUP BY usr, client, res
