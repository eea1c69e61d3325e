-- Folds the uses of an entity or token in a window into runs: by unit of time, segment, client, resource and outcome. The texts in braces
-- come from a closed list in runs.pg.ts, and `whose` names an index. A use that is attributed by an entry below the index lies below it too.
-- $1 tenant  $2 as of  $3 ids, or keys of tokens  $4 from  $5 to, epoch seconds  $6 unit, seconds  $7 seconds at which segments begin, ascending
SELECT u.client, u.res, u.outcome, max(u.at)::float8 AS at, min(u.at)::float8 AS first, max(u.until_at)::float8 AS last, max(u.ix)::float8 AS ix,
       CASE WHEN min(u.usr) = max(u.usr) THEN min(u.usr) END AS usr, CASE WHEN min(u.agent) = max(u.agent) THEN nullif(min(u.agent), 0) END AS agent,
       sum(u.n)::float8 AS n, coalesce(sum(u.n) FILTER (WHERE u.op = 1), 0)::float8 AS reads, coalesce(sum(u.n) FILTER (WHERE u.op = 2), 0)::float8 AS writes,
       coalesce(sum(u.n) FILTER (WHERE u.op = 3), 0)::float8 AS deletes, coalesce(sum(u.n) FILTER (WHERE u.op = 4), 0)::float8 AS exports,
       coalesce(sum(u.n) FILTER (WHERE u.op = 5), 0)::float8 AS admins, coalesce(sum(u.records), 0)::float8 AS records, coalesce(sum(u.bytes), 0)::float8 AS bytes
FROM unnest($3::{ids}) AS d (id)
CROSS JOIN LATERAL (
  SELECT a.ix, a.at, a.until_at, a.outcome, a.op, a.n, a.records, a.bytes,
         CASE WHEN a.bound_ix < $2::bigint THEN a.usr END AS usr, CASE WHEN a.bound_ix < $2 THEN a.client END AS client,
         CASE WHEN a.bound_ix < $2 OR a.res_bound IS NULL THEN a.res END AS res,
         CASE WHEN coalesce(a.agent_ix, a.bound_ix) < $2 THEN coalesce(a.agent, 0) ELSE 0 END AS agent
  FROM access a
  WHERE a.tenant = $1 AND {whose} AND a.at >= $4::bigint AND a.at < $5::bigint AND {known}
  ORDER BY a.at DESC, a.ix DESC
  OFFSET 0
) u
GROUP BY u.at / $6::bigint, width_bucket(u.at, $7::bigint[]), u.client, u.res, u.outcome
