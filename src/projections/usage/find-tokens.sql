-- Finds the tokens of uses. `meets`: the token is for the source of the uses.
-- $1 tenants  $2 keys of tokens  $3 used resources  $4 which of the sets of resources in $5 is the source's, from 1
WITH speaker AS MATERIALIZED (
  SELECT nth, resources::bytea[] AS resources FROM unnest($5::text[]) WITH ORDINALITY AS s (resources, nth)
)
SELECT w.nth::int - 1 AS nth, t.ix::float8, t.bound_ix::float8 AS "boundIx", t.agent_ix::float8 AS "agentIx", t.usr, t.client, t.agent, t.res[1] AS res,
       {meets w t} AS meets
FROM (
  SELECT u.*, s.resources AS source_res
  FROM unnest($1::uuid[], $2::bytea[], $3::int[], $4::int[]) WITH ORDINALITY AS u (tenant, tok, res, speaker, nth)
  JOIN speaker s ON s.nth = u.speaker
) w
-- OFFSET 0: one look-up by key each, also without statistics.
CROSS JOIN LATERAL (SELECT * FROM token t WHERE t.tenant = w.tenant AND t.key = w.tok OFFSET 0) t
