-- Standing rights and connections that a rule on who and what they are for would reach.
-- $1 tenant  $2 users  $3 clients  $4 agents  $5 resources  $6 issuer (each null: the selector has no such member)  $7 grants at most
WITH standing AS MATERIALIZED (
  SELECT g.usr, g.client, g.res FROM grant_version g
  WHERE g.tenant = $1 AND g.to_ix IS NULL
    AND ($2::int[] IS NULL OR g.usr = ANY ($2))
    AND ($3::int[] IS NULL OR g.client = ANY ($3))
    AND ($4::int[] IS NULL OR g.agent = ANY ($4))
    AND ($5::int[] IS NULL OR g.res = ANY ($5))
    AND ($6::text IS NULL OR EXISTS (SELECT FROM entity e WHERE e.tenant = $1 AND e.id IN (g.usr, g.client) AND e.parts ->> 0 = $6))
  LIMIT $7
)
SELECT
  (SELECT count(*) FROM standing) AS grants,
  (SELECT count(DISTINCT usr) FROM standing) AS users,
  (SELECT count(*) FROM connection_version c
   WHERE c.tenant = $1 AND c.to_ix IS NULL AND c.state <> 0
     AND ($2::int[] IS NULL OR (c.client, c.res) IN (SELECT client, res FROM standing))
     AND ($3::int[] IS NULL OR c.client = ANY ($3) OR c.idp_client = ANY ($3))
     AND ($4::int[] IS NULL OR c.agent = ANY ($4))
     AND ($5::int[] IS NULL OR c.res = ANY ($5))
     AND ($6::text IS NULL OR $6 IN (c.parts ->> 0, c.parts ->> 3))) AS connections
