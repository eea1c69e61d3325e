-- Sums attributed uses by client and resource from single uses, newest first, up to a budget: of users, or within a
-- window. The words in braces are replaced by the condition whose index is walked, once for each driving id.
-- $1 tenant  $2 as of  $3 driving ids  $4 from  $5 to  $6 rows an id  $7 clients  $8 resources  $9 agents, null: all
SELECT d.id, w.client, w.res, count(*)::int AS walked, coalesce(sum(w.n) FILTER (WHERE w.wanted), 0) AS accesses,
       coalesce(sum(w.n) FILTER (WHERE w.wanted AND w.outcome = 1), 0) AS allowed,
       min(w.at) FILTER (WHERE w.wanted) AS first, max(w.until_at) FILTER (WHERE w.wanted) AS last,
       min(w.at) FILTER (WHERE w.wanted AND w.outcome = 1) AS first_used, max(w.until_at) FILTER (WHERE w.wanted AND w.outcome = 1) AS last_used,
       coalesce(array_agg(DISTINCT w.agent) FILTER (WHERE w.wanted AND w.agent IS NOT NULL), '{}') AS agents
FROM unnest($3::int[]) AS d (id)
CROSS JOIN LATERAL (
  SELECT a.client, a.res, a.n, a.outcome, a.at, a.until_at, CASE WHEN a.agent_ix IS NULL OR a.agent_ix < $2 THEN a.agent END AS agent,
         a.res IS NOT NULL AND ($7::int[] IS NULL OR a.client = ANY ($7)) AND ($8::int[] IS NULL OR a.res = ANY ($8))
           AND ($9::int[] IS NULL OR (a.agent = ANY ($9) AND (a.agent_ix IS NULL OR a.agent_ix < $2))) AS wanted
  FROM access a
  WHERE a.tenant = $1 AND {driven} AND a.at >= $4::bigint AND a.at < $5::bigint AND a.bound_ix < $2::bigint
  ORDER BY a.at DESC, a.ix DESC
  LIMIT $6
) w
GROUP BY d.id, w.client, w.res
