-- Of each rule the first allowed use that was made after a time and before another; uses are walked in the order of their time, as far as the
-- budget goes. Where none fits (`fits`), the row tells how many were walked. What stands in braces is what drives: the ids of the rule, each
-- walked through its index in order, so that no more is read than the budget; and the condition.
-- $1 tenant  $2 until  $3 numbers of the rules  $4 after and $5 before, epoch seconds  $6, $7, $8, $9 users, clients, agents and
-- resources as text of arrays, null: all  $10 budget  $11 tokens  $12 issuers
SELECT r.nth, u.walked, u.fits, u.ix, u.bound_ix, u.at, u.usr, u.client, u.agent, u.res
FROM unnest($3::int[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $11::bytea[], $12::text[])
  AS r (nth, after, before, users, clients, agents, resources, token, issuer)
CROSS JOIN LATERAL (
  SELECT w.*, count(*) OVER ()::int AS walked,
         coalesce(w.outcome = 1
           AND (r.users IS NULL OR w.usr = ANY (r.users::int[])) AND (r.clients IS NULL OR w.client = ANY (r.clients::int[]))
           AND (r.agents IS NULL OR (w.agent = ANY (r.agents::int[]) AND (w.agent_ix IS NULL OR w.agent_ix < $2)))
           AND (r.resources IS NULL OR w.res = ANY (r.resources::int[]))
           AND (r.issuer IS NULL OR (
             SELECT r.issuer IN (t.facts ->> 'iss', t.facts #>> '{id_jag,iss}') FROM token t WHERE t.tenant = $1 AND t.key = w.tok AND t.ix < $2)),
         false) AS fits
  FROM (
    SELECT a.*
    FROM unnest({ids}) AS d (id)
    CROSS JOIN LATERAL (
      SELECT a.ix, a.bound_ix, a.at, a.usr, a.client, a.agent, a.agent_ix, a.res, a.outcome, a.tok FROM access a
      WHERE a.tenant = $1 AND {driven} AND a.at > r.after AND a.at < r.before AND a.bound_ix < $2::bigint
      ORDER BY a.at, a.ix
      LIMIT $10
    ) a
    ORDER BY a.at, a.ix
    LIMIT $10
  ) w
  ORDER BY fits DESC, w.bound_ix, w.ix
  LIMIT 1
) u
