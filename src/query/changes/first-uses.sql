-- Of each rule the first allowed use that was made after a time and before another, if it became known between two indexes; uses are walked
-- in the order of their time, as far as the budget goes. What stands in braces is the condition whose index is walked.
-- $1 tenant  $2 since  $3 until  $4 numbers of the rules  $5 after and $6 before, epoch seconds  $7, $8, $9, $10 users, clients, agents and
-- resources as text of arrays, null: all  $11 budget  $12 tokens  $13 issuers
SELECT r.nth, u.ix, u.bound_ix, u.at, u.usr, u.client, u.agent, u.res
FROM unnest($4::int[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], $12::bytea[], $13::text[])
  AS r (nth, after, before, users, clients, agents, resources, token, issuer)
CROSS JOIN LATERAL (
  SELECT w.*
  FROM (
    SELECT a.* FROM access a
    WHERE a.tenant = $1 AND {driven} AND a.at > r.after AND a.at < r.before AND a.bound_ix < $3::bigint
    ORDER BY a.at, a.ix
    LIMIT $11
  ) w
  WHERE w.outcome = 1
    AND (r.users IS NULL OR w.usr = ANY (r.users::int[])) AND (r.clients IS NULL OR w.client = ANY (r.clients::int[]))
    AND (r.agents IS NULL OR (w.agent = ANY (r.agents::int[]) AND (w.agent_ix IS NULL OR w.agent_ix < $3)))
    AND (r.resources IS NULL OR w.res = ANY (r.resources::int[]))
    AND (r.issuer IS NULL OR (
      SELECT r.issuer IN (t.facts ->> 'iss', t.facts #>> '{id_jag,iss}') FROM token t WHERE t.tenant = $1 AND t.key = w.tok AND t.ix < $3))
  ORDER BY w.bound_ix, w.ix
  LIMIT 1
) u
WHERE u.bound_ix >= $2::bigint
